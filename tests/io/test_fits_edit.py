import bz2
import gzip
import struct
import warnings

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skymatch_nb.errors import InputError, SkyMatchError
from skymatch_nb.io.cards import edited_cards, header_with_sums, keyword_of
from skymatch_nb.io.checksum import encode, ones_complement_sum
from skymatch_nb.io.fits_edit import ExtensionEdit, FileEdit, check_edit, verify_edited, write_edited
from skymatch_nb.io.fits_layout import open_layout

SKY = ("SKYUSER", 1.25, "sky subtracted")
FLOATS = np.random.default_rng(3).normal(5, 1, (30, 40)).astype(np.float32)


@pytest.fixture
def edit(tmp_path):
    """Write an edited copy, check it in every way, and return its path and notes."""

    def run(path, *edits):
        wanted, target = FileEdit(path, edits), tmp_path / f"new_{path.name}"
        check = check_edit(wanted)
        write_edited(wanted, target)
        verify_edited(wanted, path, target)
        assert target.stat().st_size <= check.needed
        check_others(path, target, {e.hdu for e in edits})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with fits.open(target, checksum=True) as hdus:
                hdus.verify("exception")
        return target, check.notes

    return run


def save(tmp_path, *hdus, name="a.fits", checksum=False):
    path = tmp_path / name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path, checksum=checksum)
    return path


def raw(path):
    with open_layout(path) as (stream, layout):
        stream.seek(0)
        content = stream.read()
    return content, layout


def cards_of(path, hdu):
    return list(raw(path)[1].hdus[hdu].cards)


def check_others(path, target, edited):
    (old, before), (new, after) = raw(path), raw(target)
    assert len(before.hdus) == len(after.hdus)
    for a, b in zip(before.hdus, after.hdus, strict=True):
        if a.number not in edited:
            assert old[a.start : a.end] == new[b.start : b.end]
    assert old[before.hdus[-1].end :] == new[after.hdus[-1].end :]


def rounded(values, subtract, dtype):
    return (values.astype(np.float64) - subtract).astype(dtype)


def test_only_the_named_cards_and_pixels_change(tmp_path, edit):
    image = fits.ImageHDU(FLOATS, name="SCI")
    image.header["SKYUSER"] = (0.5, "old")
    image.header["AFTER"] = "it stays behind SKYUSER"
    table = fits.BinTableHDU.from_columns([fits.Column("A", "J", array=np.arange(5))])
    path = save(tmp_path, image, fits.ImageHDU(FLOATS * 0, name="ERR"), table)
    target, notes = edit(path, ExtensionEdit(1, (SKY, ("SKYSRC", "subtracted", "")), ("sky 1.25",), 1.25))
    assert notes == ()
    old, new = cards_of(path, 1), cards_of(target, 1)
    place = [keyword_of(c) for c in old].index("SKYUSER")
    assert new[:place] + new[place + 1 : len(old)] == old[:place] + old[place + 1 :]
    assert fits.Card.fromstring(new[place]).value == 1.25
    assert fits.Card.fromstring(new[place]).comment == "sky subtracted"
    assert [keyword_of(c) for c in new[len(old) :]] == ["SKYSRC", "HISTORY"]
    assert np.array_equal(fits.getdata(target, 1), rounded(FLOATS, 1.25, np.float32))
    diff = fits.HeaderDiff(fits.getheader(path, 1), fits.getheader(target, 1))
    assert set(diff.diff_keyword_values) == {"SKYUSER"}
    assert set(diff.diff_keywords[1] if diff.diff_keywords else ()) == {"SKYSRC", "HISTORY"}


def test_fitsdiff_of_a_header_edit(tmp_path, edit):
    image = fits.ImageHDU(FLOATS, name="SCI")
    image.header["SKYUSER"] = 0.5
    path = save(tmp_path, image, fits.ImageHDU(FLOATS, name="ERR"))
    target, _ = edit(path, ExtensionEdit(1, (SKY,)))
    assert fits.FITSDiff(path, target, ignore_keywords=["SKYUSER"], ignore_comments=["SKYUSER"]).identical
    assert not fits.FITSDiff(path, target).identical


def test_header_grows_over_a_block(tmp_path, edit):
    image = fits.ImageHDU(FLOATS, name="SCI")
    while len(image.header) < 35:
        image.header[f"KEY{len(image.header)}"] = len(image.header)
    path = save(tmp_path, image, checksum=False)
    target, _ = edit(path, ExtensionEdit(1, (SKY,), ("x" * 100,), 1.25))
    assert target.stat().st_size == path.stat().st_size + 2880
    assert fits.getheader(target, 1)["HISTORY"][1] == "x" * 28
    assert cards_of(target, 1)[:35] == cards_of(path, 1)


def test_spare_blank_cards_are_used_up(tmp_path, edit):
    image = fits.ImageHDU(FLOATS, name="SCI")
    for _ in range(5):
        image.header.append(("", "", ""), end=True)
    path = save(tmp_path, image)
    old = cards_of(path, 1)
    target, _ = edit(path, ExtensionEdit(1, (SKY,), ("one",)))
    new = cards_of(target, 1)
    assert len(new) == len(old)
    assert [keyword_of(c) for c in new[-5:]] == ["SKYUSER", "HISTORY", "", "", ""]


def test_edit_twice_replaces_the_card(tmp_path, edit):
    path = save(tmp_path, fits.ImageHDU(FLOATS, name="SCI"))
    first, _ = edit(path, ExtensionEdit(1, (SKY,), (), 1.25))
    second, _ = edit(first, ExtensionEdit(1, (("SKYUSER", 2.5, "sky subtracted"),), (), 1.25))
    assert len(cards_of(first, 1)) == len(cards_of(second, 1))
    assert fits.getheader(second, 1)["SKYUSER"] == 2.5


@pytest.mark.parametrize(
    ("dtype", "becomes", "note"),
    [
        ("f4", "f4", ""),
        ("f8", "f8", ""),
        ("u1", "f4", "uint8 pixels become float32"),
        ("i1", "f4", "int8 pixels become float32"),
        ("i2", "f4", "int16 pixels become float32"),
        ("u2", "f4", "uint16 pixels become float32"),
        ("i4", "f8", "int32 pixels become float64"),
        ("u4", "f8", "uint32 pixels become float64"),
        ("i8", "f8", "int64 pixels become float64"),
        ("u8", "f8", "uint64 pixels become float64"),
    ],
)
def test_every_type(tmp_path, edit, dtype, becomes, note):
    generator = np.random.default_rng(2)
    if dtype[0] == "f":
        data = generator.normal(3, 100, (25, 31)).astype(dtype)
    else:
        info = np.iinfo(dtype)
        data = generator.integers(info.min, info.max, (25, 31), dtype, endpoint=True)
        data[0, :2] = info.min, info.max
    path = save(tmp_path, fits.ImageHDU(data, name="SCI"), fits.ImageHDU(data, name="DQ"), checksum=True)
    target, notes = edit(path, ExtensionEdit(1, (SKY,), (), 1.25))
    assert notes == ((f"SCI,1: {note}",) if note else ())
    with fits.open(target) as hdus:
        found, header = hdus[1].data, hdus[1].header
        assert np.array_equal(found, rounded(data, 1.25, becomes))
        assert found.dtype.newbyteorder("=") == np.dtype(becomes)
        assert header["BITPIX"] == -8 * np.dtype(becomes).itemsize
        if note:
            assert not {"BZERO", "BSCALE", "BLANK"} & set(header)
    untouched, notes = edit(path.rename(tmp_path / "b.fits"), ExtensionEdit(1, (SKY,)))
    assert notes == ()
    assert np.array_equal(fits.getdata(untouched, 1), data)


@given(
    data=arrays(np.uint32, (7, 5)),
    subtract=st.floats(-1e30, 1e30),
    wide=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_any_float_bits(tmp_path_factory, data, subtract, wide):
    folder = tmp_path_factory.mktemp("bits")
    pixels = data.view(np.float32)
    pixels = pixels.astype(np.float64) if wide else pixels
    path = save(folder, fits.ImageHDU(pixels))
    wanted = FileEdit(path, (ExtensionEdit(1, (), (), subtract),))
    write_edited(wanted, folder / "b.fits")
    verify_edited(wanted, path, folder / "b.fits")
    with np.errstate(all="ignore"):
        want = rounded(pixels, subtract, pixels.dtype)
    found = fits.getdata(folder / "b.fits", 1).astype(pixels.dtype)
    assert np.array_equal(found, want, equal_nan=True)


def test_nan_keeps_its_bits_and_infinity_stays(tmp_path, edit):
    data = FLOATS.copy()
    data.view(np.uint32)[0, :3] = 0x7F800001, 0xFFC12345, 0x7FC00000
    data[1, :2] = np.inf, -np.inf
    path = save(tmp_path, fits.ImageHDU(FLOATS))
    content = bytearray(path.read_bytes())
    content[5760 : 5760 + data.nbytes] = data.view(np.uint32).astype(">u4").tobytes()
    path.write_bytes(content)
    target, _ = edit(path, ExtensionEdit(1, (), (), 1.25))
    stored = struct.unpack(">3I", target.read_bytes()[5760:5772])
    assert stored == (0x7F800001, 0xFFC12345, 0x7FC00000)
    assert fits.getdata(target, 1)[1, :2].tolist() == [np.inf, -np.inf]


def test_scaled_integers_with_blank(tmp_path, edit):
    hdu = fits.ImageHDU(np.arange(-600, 600, dtype=np.int16).reshape(30, 40), name="SCI")
    path = save(tmp_path, hdu)
    with fits.open(path, mode="update", do_not_scale_image_data=True) as hdus:
        hdus[1].header["BSCALE"] = (0.5, "kept until it is not needed")
        hdus[1].header["BZERO"] = 100.0
        hdus[1].header["BLANK"] = -600
        hdus[1].header["LAST"] = 1
    before = fits.getdata(path, 1)
    assert np.isnan(before[0, 0])
    target, notes = edit(path, ExtensionEdit(1, (SKY,), (), 1.25))
    assert notes == ("SCI,1: scaled int16 pixels become float32",)
    after = fits.getdata(target, 1)
    assert np.isnan(after[0, 0])
    assert np.isnan(after).sum() == 1
    assert np.array_equal(after, rounded(before, 1.25, np.float32), equal_nan=True)
    left = [keyword_of(c) for c in cards_of(path, 1) if keyword_of(c) not in ("BSCALE", "BZERO", "BLANK")]
    assert [keyword_of(c) for c in cards_of(target, 1)] == [*left, "SKYUSER"]


def test_coarse_zero_point_needs_float64(tmp_path, edit):
    path = save(tmp_path, fits.ImageHDU(np.arange(1200, dtype=np.int16).reshape(30, 40)))
    with fits.open(path, mode="update", do_not_scale_image_data=True) as hdus:
        hdus[1].header["BSCALE"], hdus[1].header["BZERO"] = 0.001, 1e6
    target, notes = edit(path, ExtensionEdit(1, (), (), 1e6))
    assert notes == ("1: scaled int16 pixels become float64",)
    assert np.allclose(fits.getdata(target, 1), np.arange(1200).reshape(30, 40) * 0.001, rtol=0, atol=1e-9)


def test_scaled_floats_keep_their_scaling(tmp_path, edit):
    path = save(tmp_path, fits.ImageHDU(FLOATS))
    with fits.open(path, mode="update", do_not_scale_image_data=True) as hdus:
        hdus[1].header["BSCALE"], hdus[1].header["BZERO"] = 2.0, 10.0
    target, notes = edit(path, ExtensionEdit(1, (), (), 1.25))
    assert notes == ()
    assert np.allclose(fits.getdata(target, 1), fits.getdata(path, 1) - 1.25, rtol=1e-6)
    assert fits.getheader(target, 1, do_not_scale_image_data=True)["BSCALE"] == 2.0


@pytest.mark.parametrize("subtract", [None, 1.25])
def test_checksums_are_updated(tmp_path, edit, subtract):
    path = save(tmp_path, fits.ImageHDU(FLOATS, name="SCI"), fits.ImageHDU(FLOATS, name="ERR"), checksum=True)
    target, notes = edit(path, ExtensionEdit(0, (), ("sky",)), ExtensionEdit(1, (SKY,), ("sky",), subtract))
    assert notes == ()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(target, checksum=True) as hdus:
            assert all(hdu.verify_checksum() == 1 and hdu.verify_datasum() == 1 for hdu in hdus)
    kept = [[keyword_of(c) for c in cards_of(p, 1)] for p in (path, target)]
    assert kept[1][: len(kept[0])] == kept[0]


def test_a_wrong_datasum_is_told(tmp_path, edit):
    path = save(tmp_path, fits.ImageHDU(FLOATS, name="SCI"), checksum=True)
    content = bytearray(path.read_bytes())
    content[5765] ^= 1
    path.write_bytes(content)
    _, notes = edit(path, ExtensionEdit(1, (SKY,)))
    assert notes[0].startswith("SCI,1: DATASUM was '")


def test_checksum_alone_in_a_free_format(tmp_path):
    """The standard sums the whole HDU, with or without a DATASUM; astropy's reader leaves out the data without one."""
    image = fits.ImageHDU(FLOATS)
    image.header["CHECKSUM"] = ("x", "no date here")
    path, target = save(tmp_path, image), tmp_path / "b.fits"
    wanted = FileEdit(path, (ExtensionEdit(1, (SKY,), (), 1.25),))
    write_edited(wanted, target)
    verify_edited(wanted, path, target)
    header = fits.getheader(target, 1)
    assert header.comments["CHECKSUM"] == "no date here"
    assert "DATASUM" not in header
    content, layout = raw(target)
    words = np.frombuffer(content[layout.hdus[1].start : layout.hdus[1].end], ">u4")
    assert int(words.sum(dtype=np.uint64)) % 0xFFFFFFFF == 0


@given(data=arrays(np.int32, st.tuples(st.integers(1, 30), st.integers(1, 30))), value=st.floats(-1e9, 1e9))
@settings(max_examples=60, deadline=None)
def test_checksum_agrees_with_astropy(data, value):
    hdu = fits.ImageHDU(data)
    hdu.header["VALUE"] = value
    hdu.add_checksum(when="now")
    padded = data.astype(">i4").tobytes()
    padded += bytes(-len(padded) % 2880)
    datasum = ones_complement_sum([padded])
    assert hdu.header["DATASUM"] == str(datasum)
    cards = [str(c).encode() for c in hdu.header.cards]
    header = header_with_sums(cards, datasum)
    assert header == hdu.header.tostring().encode()
    assert ones_complement_sum([header], datasum) in (0, 0xFFFFFFFF)


@given(st.integers(0, 0xFFFFFFFF))
def test_encoded_sums_are_letters_and_digits(total):
    text = encode(total)
    assert len(text) == 16
    assert text.isalnum()
    assert text == fits.ImageHDU()._char_encode(~total & 0xFFFFFFFF)


NAMES = st.sampled_from(["SKYUSER", "SKYSRC", "OTHER", "ANOTHER"])


@given(
    old=st.lists(st.tuples(NAMES, st.integers(0, 99)), max_size=8),
    new=st.dictionaries(NAMES, st.floats(-1e9, 1e9)),
    history=st.lists(st.text("abc ", max_size=150), max_size=3),
    spare=st.integers(0, 12),
)
def test_cards_property(old, new, history, spare):
    blank = b" " * 80
    cards = [str(fits.Card(k, v)).encode() for k, v in old] + [blank] * spare
    out = edited_cards(cards, [(k, v, "") for k, v in new.items()], history)
    assert all(len(card) == 80 for card in out)
    assert len(out) >= len(cards)
    header = fits.Header.fromstring(b"".join(out))
    for keyword, value in new.items():
        found = header[keyword] if [k for k, _ in old].count(keyword) < 2 else header[keyword, 0]
        assert found == pytest.approx(value, rel=1e-11)
    untouched = [card for card in cards if keyword_of(card) not in new and card != blank]
    assert [card for card in out if card in untouched] == untouched
    for at, (keyword, _) in enumerate(old):
        assert keyword_of(out[at]) == keyword


def test_continued_value_is_replaced_whole(tmp_path, edit):
    image = fits.ImageHDU(FLOATS)
    image.header["SKYSRC"] = "long " * 40
    image.header["NEXT"] = 1
    path = save(tmp_path, image)
    target, _ = edit(path, ExtensionEdit(1, (("SKYSRC", "short", ""),)))
    assert fits.getheader(target, 1)["SKYSRC"] == "short"
    assert b"CONTINUE" not in target.read_bytes()


def test_long_keyword(tmp_path, edit):
    path = save(tmp_path, fits.ImageHDU(FLOATS))
    target, _ = edit(path, ExtensionEdit(1, (("SKYBACKGROUND", 1.5, "long"),)))
    again, _ = edit(target, ExtensionEdit(1, (("SKYBACKGROUND", 2.5, "long"),)))
    assert len(cards_of(again, 1)) == len(cards_of(target, 1))
    assert fits.getheader(again, 1)["SKYBACKGROUND"] == 2.5


@pytest.mark.parametrize(("module", "suffix", "magic"), [(gzip, ".gz", b"\x1f\x8b"), (bz2, ".bz2", b"BZh")])
def test_compressed_files_stay_compressed(tmp_path, edit, module, suffix, magic):
    plain = save(tmp_path, fits.ImageHDU(FLOATS, name="SCI"), fits.ImageHDU(FLOATS, name="ERR"))
    path = tmp_path / f"a.fits{suffix}"
    path.write_bytes(module.compress(plain.read_bytes()))
    target, _ = edit(path, ExtensionEdit(1, (SKY,), (), 1.25))
    assert target.read_bytes().startswith(magic)
    assert np.array_equal(fits.getdata(target, 1), rounded(FLOATS, 1.25, np.float32))
    wanted = FileEdit(plain, (ExtensionEdit(1, (SKY,), (), 1.25),))
    write_edited(wanted, tmp_path / "plain.fits")
    assert module.decompress(target.read_bytes()) == (tmp_path / "plain.fits").read_bytes()


def tiles(data, **options):
    return fits.CompImageHDU(data, name="SCI", **options)


@pytest.mark.parametrize("checksum", [False, True])
def test_tiles_header_only(tmp_path, edit, checksum):
    path = save(tmp_path, tiles(FLOATS, quantize_level=4), fits.ImageHDU(FLOATS), checksum=checksum)
    target, notes = edit(path, ExtensionEdit(1, (SKY,), ("sky",)))
    assert notes == ()
    (old, before), (new, after) = raw(path), raw(target)
    assert old[before.hdus[1].data : before.hdus[1].end] == new[after.hdus[1].data : after.hdus[1].end]
    assert fits.getheader(target, 1)["SKYUSER"] == 1.25


@pytest.mark.parametrize("options", [{"quantize_method": 1}, {"compression_type": "GZIP_1", "tile_shape": (10, 20)}])
@pytest.mark.parametrize("checksum", [False, True])
def test_quantised_tiles_become_lossless(tmp_path, edit, options, checksum):
    data = FLOATS.copy()
    data[3, 4] = np.nan
    path = save(tmp_path, tiles(data, **options), fits.ImageHDU(FLOATS), checksum=checksum)
    before = fits.getdata(path, 1)
    target, notes = edit(path, ExtensionEdit(1, (SKY,), (), 1.25))
    assert notes == (f"SCI,1: compressed without loss (GZIP_2, was {options.get('compression_type', 'RICE_1')})",)
    assert np.array_equal(fits.getdata(target, 1), rounded(before, 1.25, np.float32), equal_nan=True)
    with fits.open(target, disable_image_compression=True) as hdus:
        header = hdus[1].header
        assert header["ZCMPTYPE"] == "GZIP_2"
        assert (header["ZTILE2"], header["ZTILE1"]) == options.get("tile_shape", (1, 40))
        assert "ZQUANTIZ" not in header or header["ZQUANTIZ"] == "NONE"


@pytest.mark.parametrize(("dtype", "becomes"), [("i2", "f4"), ("u2", "f4"), ("i4", "f8"), ("u1", "f4")])
def test_integer_tiles(tmp_path, edit, dtype, becomes):
    data = np.arange(1200).reshape(30, 40).astype(dtype)
    path = save(tmp_path, tiles(data, tile_shape=(8, 40)))
    target, notes = edit(path, ExtensionEdit(1, (SKY,), (), 1.25))
    assert len(notes) == 2
    assert "pixels become float" in notes[0]
    found = fits.getdata(target, 1)
    assert np.array_equal(found, rounded(data, 1.25, becomes))
    assert found.dtype.newbyteorder("=") == np.dtype(becomes)


def test_tiles_keep_their_other_cards(tmp_path, edit):
    image = tiles(FLOATS)
    image.header["FILTER"] = ("F606W", "a comment")
    image.header["EXPTIME"] = 100.0
    path = save(tmp_path, image)
    target, _ = edit(path, ExtensionEdit(1, (SKY,), (), 1.25))
    own = [c for c in cards_of(path, 1) if keyword_of(c) in ("FILTER", "EXPTIME", "EXTNAME", "ZNAXIS1", "ZIMAGE")]
    assert [c for c in cards_of(target, 1) if c in own] == own


def test_what_follows_the_last_extension_stays(tmp_path):
    path = save(tmp_path, fits.ImageHDU(FLOATS))
    with path.open("ab") as stream:
        stream.write(b"more bytes" * 400)
    wanted, target = FileEdit(path, (ExtensionEdit(1, (SKY,), (), 1.25),)), tmp_path / "b.fits"
    write_edited(wanted, target)
    verify_edited(wanted, path, target)
    check_others(path, target, {1})
    assert target.read_bytes().endswith(b"more bytes" * 400)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_primary_image_of_any_dimension(tmp_path, edit, count):
    path = tmp_path / "p.fits"
    shape = (4, 5, 6)[: max(count, 1)]
    fits.PrimaryHDU(np.ones(shape, np.float32) if count else None).writeto(path)
    target, _ = edit(path, ExtensionEdit(0, (SKY,), ("h",), 1.0 if count else None))
    if count:
        assert not fits.getdata(target).any()


@pytest.mark.parametrize(
    ("edits", "text"),
    [
        ([ExtensionEdit(7)], "no such extension"),
        ([ExtensionEdit(2, (SKY,))], "not an image"),
        ([ExtensionEdit(0, (), (), 1.0)], "no image with pixels"),
        ([ExtensionEdit(1), ExtensionEdit(1)], "two edits"),
        ([ExtensionEdit(1, (), (), float("nan"))], "cannot be subtracted"),
        ([ExtensionEdit(1, (("SKYUSER", float("nan"), ""),))], "SKYUSER"),
        ([ExtensionEdit(1, (("BITPIX", 8, ""),))], "structure"),
        ([ExtensionEdit(1, (("SKYSRC", "x" * 90, ""),))], "too long"),
        ([ExtensionEdit(1, (), ("two\nlines",))], "HISTORY"),
    ],
)
def test_what_cannot_be_done_is_refused(tmp_path, edits, text):
    table = fits.BinTableHDU.from_columns([fits.Column("A", "J", array=np.arange(5))])
    path = save(tmp_path, fits.ImageHDU(FLOATS, name="SCI"), table)
    with pytest.raises(InputError, match=text) as caught:
        check_edit(FileEdit(path, tuple(edits)))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "not a FITS file"),
        (b"no FITS at all" * 500, "not a FITS file"),
        (gzip.compress(b"no FITS", mtime=0), "not a FITS file"),
        (gzip.compress(b"x" * 9999, mtime=0)[:-9], "gzip"),
        (b"BZh9 nonsense", "bzip2"),
        (b"SIMPLE  = nothing more", "truncated"),
    ],
)
def test_files_that_are_not_fits(tmp_path, content, text):
    path = tmp_path / "a.fits"
    path.write_bytes(content)
    with pytest.raises(InputError, match=text):
        check_edit(FileEdit(path, (ExtensionEdit(0),)))


def test_truncated_file(tmp_path):
    path = save(tmp_path, fits.ImageHDU(FLOATS))
    path.write_bytes(path.read_bytes()[:-2880])
    with pytest.raises(InputError, match="truncated"):
        check_edit(FileEdit(path, (ExtensionEdit(1),)))


def test_verification_sees_every_change_of_a_byte(tmp_path):
    path = save(tmp_path, fits.ImageHDU(FLOATS, name="SCI"), fits.ImageHDU(FLOATS[:3], name="ERR"), checksum=True)
    wanted, target = FileEdit(path, (ExtensionEdit(1, (SKY,), ("sky",), 1.25),)), tmp_path / "b.fits"
    write_edited(wanted, target)
    content = target.read_bytes()
    _, layout = raw(target)
    sci, err = layout.hdus[1:]
    places = [sci.start + 80 * k + 25 for k in range(len(sci.cards))]
    places += [
        sci.data + 1,
        sci.data + 4 * 700,
        sci.data + sci.size - 3,
        err.start + 30,
        err.data + 5,
        len(content) - 1,
    ]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 4
        target.write_bytes(changed)
        with pytest.raises(SkyMatchError):
            verify_edited(wanted, path, target)
    target.write_bytes(content[:-2880])
    with pytest.raises(SkyMatchError):
        verify_edited(wanted, path, target)


def test_large_images_stream_in_chunks(tmp_path, edit, monkeypatch):
    monkeypatch.setattr("skymatch_nb.io.fits_layout.CHUNK", 1024)
    monkeypatch.setattr("skymatch_nb.io.fits_verify.CHUNK", 4096)
    monkeypatch.setattr("skymatch_nb.io.checksum._CHUNK", 512)
    path = save(tmp_path, fits.ImageHDU(FLOATS), fits.ImageHDU(FLOATS.astype(np.int16)), checksum=True)
    target, _ = edit(path, ExtensionEdit(1, (SKY,), (), 1.25), ExtensionEdit(2, (SKY,), (), 1.25))
    assert np.array_equal(fits.getdata(target, 1), rounded(FLOATS, 1.25, np.float32))


def test_real_size_value_survives_its_card(tmp_path, edit):
    path = save(tmp_path, fits.ImageHDU(FLOATS))
    value = -1.2345678901234567e-105
    target, _ = edit(path, ExtensionEdit(1, (("SKYUSER", value, "c" * 70),)))
    assert fits.getheader(target, 1)["SKYUSER"] == pytest.approx(value, rel=1e-11)
