"""Good pixels: what DQ flags, masks and spans leave, for every way an image is stored."""

import numpy as np
import pytest
from astropy.nddata.bitmask import bitfield_to_boolean_mask
from hypothesis import given, settings
from hypothesis import strategies as st

from skymatch_nb.core.quality import bad_bits_as_stored, count_quality, flagged, gather_good, sample_dtype
from skymatch_nb.core.raster import full_spans

SHAPE = (13, 17)
DATA_TYPES = [">f4", "<f4", ">f8", ">i2", "u1", ">i4", ">i8"]
FLAG_TYPES = ["u1", ">i2", "<i4", ">i8"]
GOOD_BITS = [0, 4, 12, 127, -1, -13, -129]


def image(dtype, seed=1):
    """Every value distinct within the range of a byte where the type allows, negative where it has a sign."""
    values = np.random.default_rng(seed).permutation(np.prod(SHAPE)).reshape(SHAPE)
    return (values if dtype == "u1" else values - 100).astype(dtype)


def flags(dtype, seed=2):
    """Half of the pixels clean, the others with random bits of all that the type has, its sign too."""
    rng = np.random.default_rng(seed)
    info = np.iinfo(dtype)
    values = rng.integers(info.min, info.max, SHAPE, dtype=np.dtype(dtype).newbyteorder("="), endpoint=True)
    single = np.array(1, values.dtype) << rng.integers(0, 7, SHAPE).astype(values.dtype)
    values = np.where(rng.random(SHAPE) < 0.5, values, single)
    return np.where(rng.random(SHAPE) < 0.5, 0, values).astype(dtype)


def good_twin(dq, good_bits):
    """A pixel is good where no bit outside ``good_bits`` is set: with Python's integers, pixel by pixel."""
    return np.array([[int(flag) & ~good_bits == 0 for flag in row] for row in dq.tolist()])


def some_spans():
    return np.array([[0, 0, 17], [3, 2, 9], [3, 11, 12], [12, 16, 17]])


def pixels_of(spans):
    """Rows and columns of the pixels of spans, in their order."""
    return tuple(np.array([(row, column) for row, start, stop in spans for column in range(start, stop)]).T)


@pytest.mark.parametrize("good_bits", GOOD_BITS)
@pytest.mark.parametrize("flag_type", FLAG_TYPES)
@pytest.mark.parametrize("data_type", DATA_TYPES)
def test_gathered_pixels_are_the_unflagged_ones_of_the_spans(data_type, flag_type, good_bits):
    """Values, order and type, for every storage of data and flags."""
    data, dq, spans = image(data_type), flags(flag_type), some_spans()
    good = good_twin(dq, good_bits)[pixels_of(spans)]
    gathered = gather_good(data, spans, dq, good_bits)
    np.testing.assert_array_equal(gathered, data[pixels_of(spans)][good].astype(float))
    assert gathered.dtype == sample_dtype(data.dtype)


@pytest.mark.parametrize("data_type", DATA_TYPES)
def test_without_flags_every_pixel_of_the_spans_is_gathered(data_type):
    """No DQ array, no mask."""
    data, spans = image(data_type), some_spans()
    np.testing.assert_array_equal(gather_good(data, spans), data[pixels_of(spans)].astype(float))


@pytest.mark.parametrize("flag_type", FLAG_TYPES)
@pytest.mark.parametrize("bits", ["0", "4", "4,8", "~4,8", 12, -13])
def test_flags_agree_with_astropy(flag_type, bits):
    """`astropy.nddata.bitmask` calls the same pixels good."""
    dq = flags(flag_type)
    expected = bitfield_to_boolean_mask(dq, ignore_flags=bits, good_mask_value=True, dtype=bool)
    good_bits = {"0": 0, "4": 4, "4,8": 12, "~4,8": -13}.get(bits, bits)
    good = gather_good(np.arange(dq.size, dtype=float).reshape(SHAPE), full_spans(SHAPE), dq, good_bits).astype(int)
    np.testing.assert_array_equal(good, np.flatnonzero(expected))


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(FLAG_TYPES), st.integers(-(2**63), 2**63 - 1), st.data())
def test_any_flag_value_is_judged_by_its_bits(flag_type, good_bits, data):
    """Any flag of any type under any good bits, wider ones too; a negative flag has the type's highest bit set."""
    info = np.iinfo(flag_type)
    all_bits = 2 ** (8 * np.dtype(flag_type).itemsize) - 1
    flag = data.draw(st.integers(int(info.min), int(info.max)))
    gathered = gather_good(np.ones((1, 1)), full_spans((1, 1)), np.array([[flag]], flag_type), good_bits)
    assert len(gathered) == (flag & ~good_bits & all_bits == 0)


@pytest.mark.parametrize("flag_type", FLAG_TYPES)
@pytest.mark.parametrize("good_bits", GOOD_BITS)
def test_bad_bits_as_stored_complement_the_good_bits(flag_type, good_bits):
    """Viewed as a flag of that type, the bad bits are all bits but the good ones."""
    raw = np.array([bad_bits_as_stored(good_bits, np.dtype(flag_type))])
    assert int(raw.view(flag_type)[0]) & (2 ** (8 * raw.itemsize) - 1) == ~good_bits & (2 ** (8 * raw.itemsize) - 1)


@pytest.mark.parametrize("data_type", [">f4", "<f4", ">i2"])
@pytest.mark.parametrize("flag_type", [None, ">i2"])
def test_user_mask_is_true_where_good(data_type, flag_type):
    """A pixel is gathered where the mask is True and DQ does not object."""
    data, spans = image(data_type), full_spans(SHAPE)
    user = np.random.default_rng(7).random(SHAPE) < 0.6
    dq = None if flag_type is None else flags(flag_type)
    good = user if dq is None else user & good_twin(dq, 4)
    np.testing.assert_array_equal(gather_good(data, spans, dq, 4, user), data[good].astype(float))


def test_empty_spans_gather_nothing():
    """Nothing is asked, nothing comes, in the right type."""
    gathered = gather_good(image(">f4"), np.zeros((0, 3), np.int64), flags(">i2"))
    assert gathered.shape == (0,)
    assert gathered.dtype == np.float32


def test_everything_bad_gathers_nothing():
    """A mask that is False everywhere."""
    assert gather_good(image(">f4"), full_spans(SHAPE), user_good=np.zeros(SHAPE, bool)).shape == (0,)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(">f4", "f4"), ("<f4", "f4"), (">i2", "f4"), ("u1", "f4"), (">u2", "f4"),
     (">f8", "f8"), (">i4", "f8"), (">u4", "f8"), (">i8", "f8")],
)  # fmt: skip
def test_sample_dtype_is_native_and_wide_enough(dtype, expected):
    """32-bit integers and float64 keep float64; what float32 holds exactly is float32."""
    found = sample_dtype(np.dtype(dtype))
    assert found == np.dtype(expected)
    assert found.isnative


@pytest.mark.parametrize("dtype", [">i2", "u1", ">u2", ">i4", ">u4"])
def test_integers_keep_their_value(dtype):
    """The extremes of every integer type up to 32 bits come back exactly."""
    info = np.iinfo(dtype)
    data = np.array([[info.min, info.max, info.max - 1]], dtype)
    assert gather_good(data, full_spans(data.shape)).tolist() == [info.min, info.max, info.max - 1]


def test_special_values_are_gathered_as_they_are():
    """Finite or not, a pixel's value is not judged here."""
    data = np.array([[np.nan, np.inf, -np.inf, -0.0, 1e-42]], ">f4")
    np.testing.assert_array_equal(gather_good(data, full_spans(data.shape)), data[0].astype("f4"))


@pytest.mark.parametrize("layout", ["transposed", "reversed", "every second", "fortran"])
def test_strides_do_not_matter(layout):
    """Views and Fortran order give what a contiguous copy gives."""
    change = {
        "transposed": lambda a: a.T,
        "reversed": lambda a: a[::-1, ::-1],
        "every second": lambda a: a[::2, ::2],
        "fortran": np.asfortranarray,
    }[layout]
    data, dq, user = change(image(">f4")), change(flags(">i2")), change(image("u1") > 90)
    expected = gather_good(np.ascontiguousarray(data), full_spans(data.shape), dq.copy("C"), 4, user.copy("C"))
    np.testing.assert_array_equal(gather_good(data, full_spans(data.shape), dq, 4, user), expected)
    assert len(expected) > 0


@pytest.mark.parametrize("writeable", [True, False])
@pytest.mark.parametrize("function", [gather_good, count_quality])
def test_inputs_are_left_as_they_were(function, writeable):
    """Neither values nor writeable flags change, and read-only arrays are welcome."""
    arrays = [image(">f4"), flags(">i2"), image("u1") > 90]
    copies = [a.copy() for a in arrays]
    for a in arrays:
        a.flags.writeable = writeable
    data, dq, user = arrays
    if function is gather_good:
        gather_good(data, full_spans(SHAPE), dq, 4, user)
    else:
        count_quality(data, dq, 4, user)
    assert [a.flags.writeable for a in arrays] == [writeable] * 3
    for a, before in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(a, before)


def test_gathered_pixels_are_a_copy():
    """Writing to the result, as sorting does, leaves the image alone, also where the type need not change."""
    data = image("<f4")
    gathered = gather_good(data, full_spans(SHAPE))
    gathered[:] = 0
    np.testing.assert_array_equal(data, image("<f4"))


def test_memory_maps_are_read(tmp_path):
    """A read-only memory map of big-endian pixels."""
    data = image(">f4")
    data.tofile(tmp_path / "pixels")
    mapped = np.memmap(tmp_path / "pixels", ">f4", "r", shape=SHAPE)
    np.testing.assert_array_equal(gather_good(mapped, some_spans()), data[pixels_of(some_spans())])


@pytest.mark.parametrize("rows", [1, 5, 13, 256])
@pytest.mark.parametrize("good_bits", [0, 12, -13])
def test_quality_counts_are_those_of_whole_arrays(good_bits, rows):
    """Good, flagged, masked and non-finite pixels, whatever number of rows is looked at together."""
    data, dq, user = image(">f4"), flags(">i2"), image("u1", seed=3) > 60
    data[::3, ::4] = [np.nan, np.inf, -np.inf, np.nan, np.inf]
    clean, finite = good_twin(dq, good_bits), np.isfinite(data)
    counts = count_quality(data, dq, good_bits, user, rows)
    assert counts.pixels == data.size
    assert counts.good == np.sum(clean & user & finite)
    assert (counts.bad_dq, counts.bad_user, counts.bad_value) == (np.sum(~clean), np.sum(~user), np.sum(~finite))


@pytest.mark.parametrize("data_type", DATA_TYPES)
@pytest.mark.parametrize("flag_type", FLAG_TYPES)
def test_quality_counts_serve_every_storage(data_type, flag_type):
    """As many good pixels as are gathered from the whole image, where all values are finite."""
    data, dq = image(data_type), flags(flag_type)
    counts = count_quality(data, dq, 4)
    assert counts.good == len(gather_good(data, full_spans(SHAPE), dq, 4)) == np.sum(good_twin(dq, 4))
    assert counts.bad_value == 0


def test_quality_counts_without_flags_or_mask():
    """Only the values can be bad."""
    counts = count_quality(np.array([[1.0, np.nan], [np.inf, 4.0]]))
    assert (counts.good, counts.bad_dq, counts.bad_user, counts.bad_value) == (2, 0, 0, 2)


def test_regions_and_sources_are_counted_apart():
    """A pixel may be bad for several reasons."""
    data, dq = image(">f4"), flags(">i2")
    region, source = image("u1", seed=4) > 200, image("u1", seed=5) > 200
    counts = count_quality(data, dq, 4, None, 5, region, source)
    assert (counts.bad_region, counts.bad_source) == (region.sum(), source.sum())
    assert counts.good == np.sum(good_twin(dq, 4) & ~region & ~source)
    assert (region & source).any()


@pytest.mark.parametrize("flag_type", FLAG_TYPES)
def test_flagged_is_the_opposite_of_good(flag_type):
    np.testing.assert_array_equal(flagged(flags(flag_type), 4), ~good_twin(flags(flag_type), 4))


@pytest.mark.parametrize("dtype", [">f4", "<f4", ">f8", "<f8"])
def test_every_bit_of_a_pixel_is_kept_in_either_byte_order(dtype):
    data = np.random.default_rng(4).normal(9, 0.1, (7, 40)).astype(dtype)
    spans = np.array([[row, 0, 40] for row in range(7)])
    np.testing.assert_array_equal(gather_good(data, spans), data.ravel())
