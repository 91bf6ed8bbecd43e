"""The parameters: defaults, checks whose messages help, copies and files."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from skymatch_nb.errors import ParameterError, SkyMatchError
from skymatch_nb.params import SkyMatchParams, specs

DEFAULTS = {
    "skymethod": "globalmin+match",
    "match_down": True,
    "group_by": "exposure",
    "reference": None,
    "weighting": "pixels",
    "robust": None,
    "anchor": "shared",
    "isolated": "baseline",
    "fixed": None,
    "leave_out": None,
    "overlap_stat": "region",
    "min_overlap_pixels": 0,
    "min_overlap_fraction": 0.0,
    "skystat": "mode",
    "lower": None,
    "upper": None,
    "nclip": 5,
    "lsigma": 4.0,
    "usigma": 4.0,
    "binwidth": 0.1,
    "dq_bits": "default",
    "exclude_regions": None,
    "include_regions": None,
    "mask_sources": None,
    "mask_sources_npixels": 5,
    "mask_sources_dilate": 3,
    "footprint_from": "frame",
    "wcs_key": None,
    "units_kwd": "BUNIT",
    "invsens_kwd": None,
    "skyuser_kwd": "SKYUSER",
    "readonly": True,
    "subtractsky": False,
    "backup": True,
    "allow_mixed": False,
    "in_place": False,
    "optimize": "balanced",
    "clobber": False,
    "clean": True,
    "executor": "threads",
    "verbose": True,
    "logfile": None,
}
FLAGS = [name for name, default in DEFAULTS.items() if isinstance(default, bool)]


def error_text(**values):
    with pytest.raises(ParameterError) as error:
        SkyMatchParams.checked(values)
    return str(error.value)


@pytest.mark.parametrize(("name", "default"), DEFAULTS.items())
def test_default(name, default):
    """The published defaults, of the same type."""
    value = getattr(SkyMatchParams(), name)
    assert value == default
    assert type(value) is type(default)


def test_there_are_no_other_parameters():
    """Every parameter is in the list above."""
    assert list(SkyMatchParams.model_fields) == list(DEFAULTS)


@pytest.mark.parametrize(("name", "default"), DEFAULTS.items())
def test_defaults_are_valid_when_given(name, default):
    """Naming a default changes nothing."""
    assert SkyMatchParams.checked({name: default}) == SkyMatchParams()


VALID = [
    *[("skymethod", value) for value in ("globalmin+match", "localmin", "globalmin", "match")],
    *[("skystat", value) for value in ("mode", "mean", "median", "midpt", "binmode", "biweight", "sextractor")],
    *[("optimize", value) for value in ("balanced", "speed", "inmemory")],
    *[("executor", value) for value in ("threads", "dask")],
    *[(name, value) for name in FLAGS for value in (True, False)],
    *[("nclip", value) for value in (0, 1, 100)],
    *[(name, value) for name in ("lsigma", "usigma") for value in (1e-9, 0.5, 1000.0)],
    *[("binwidth", value) for value in (0.001, 0.5, 1.0)],
    *[(name, value) for name in ("lower", "upper") for value in (-1e30, 0.0, 5.5)],
    *[(name, value) for name in ("units_kwd", "invsens_kwd", "skyuser_kwd") for value in ("X", "PHOT-FLM", "A_1")],
    ("reference", "j8bt06nyq_flt.fits"),
    ("logfile", "run.log"),
]


@pytest.mark.parametrize(("name", "value"), VALID)
def test_allowed_values_are_kept(name, value):
    """Every choice, both flags, and the bounds themselves."""
    assert getattr(SkyMatchParams.checked({name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("skymethod", "Match", "'globalmin+match', 'localmin', 'globalmin' or 'match'"),
        ("skymethod", "", "'globalmin+match'"),
        ("skymethod", None, "'globalmin+match'"),
        ("skystat", "MEDIAN", "'mode', 'mean', 'median', 'midpt', 'binmode', 'biweight' or 'sextractor'"),
        ("skystat", 3, "'mode'"),
        ("optimize", "fast", "'balanced', 'speed' or 'inmemory'"),
        ("executor", "ray", "'threads' or 'dask'"),
        ("executor", None, "'threads' or 'dask'"),
        ("executor", object(), "'threads' or 'dask'"),
        ("nclip", -1, "greater than or equal to 0"),
        ("nclip", 101, "less than or equal to 100"),
        ("nclip", 10**30, "less than or equal to 100"),
        ("nclip", 2.5, "valid integer"),
        ("nclip", 2.0, "valid integer"),
        ("nclip", True, "valid integer"),
        ("nclip", "5", "valid integer"),
        ("nclip", None, "valid integer"),
        ("lsigma", 0, "greater than 0"),
        ("lsigma", -4.0, "greater than 0"),
        ("usigma", 1000.5, "less than or equal to 1000"),
        ("usigma", "4", "valid number"),
        ("lsigma", True, "valid number"),
        ("usigma", None, "valid number"),
        ("lsigma", float("nan"), "finite number"),
        ("usigma", float("inf"), "finite number"),
        ("binwidth", 0, "greater than or equal to 0.001"),
        ("binwidth", 1.1, "less than or equal to 1"),
        ("binwidth", float("nan"), "finite number"),
        ("lower", "low", "valid number"),
        ("lower", False, "valid number"),
        ("lower", float("nan"), "finite number"),
        ("upper", float("-inf"), "finite number"),
        ("upper", 1 + 2j, "valid number"),
        ("match_down", "yes", "valid boolean"),
        ("readonly", 1, "valid boolean"),
        ("subtractsky", None, "valid boolean"),
        ("units_kwd", "TOOLONGKEYWORD", "FITS keyword"),
        ("units_kwd", "A B", "FITS keyword"),
        ("units_kwd", "", "FITS keyword"),
        ("units_kwd", None, "valid string"),
        ("invsens_kwd", "TOOLONGKEYWORD", "FITS keyword"),
        ("skyuser_kwd", 7, "valid string"),
        ("reference", 7, "valid string"),
        ("logfile", 7, "valid string"),
        ("dq_bits", "3,foo", "flags that are powers of 2"),
        ("dq_bits", "5,3", "flags that are powers of 2"),
        ("dq_bits", 1.5, "an int, a string"),
        ("dq_bits", True, "an int, a string"),
    ],
)
def test_bad_value_is_named_with_what_is_allowed(name, value, allowed):
    """One line: parameter, value, what it must be; and it is a ValueError."""
    text = error_text(**{name: value})
    assert f"{name}={value!r}: must be" in text
    assert allowed in text
    assert "\n" not in text
    assert issubclass(ParameterError, ValueError)
    assert issubclass(ParameterError, SkyMatchError)


@pytest.mark.parametrize("value", ["photflam!", "a b"])
def test_bad_keyword_is_shown(value):
    """Letters, digits, hyphens and underscores only; the text may show it in capitals."""
    assert value.lower() in error_text(invsens_kwd=value).lower()


@pytest.mark.parametrize(
    ("name", "meant"),
    [("nclipp", "nclip"), ("NCLIP", "nclip"), ("sky_method", "skymethod"), ("lsig", "lsigma"), ("dqbits", "dq_bits"),
     ("Readonly", "readonly"), ("log_file", "logfile")],
)  # fmt: skip
def test_unknown_name_is_an_error_with_a_suggestion(name, meant):
    """Names a mistyped parameter may stand for."""
    text = error_text(**{name: 3})
    assert f"unknown parameter {name!r}" in text
    assert f"did you mean {meant!r}?" in text


def test_name_like_no_other_is_an_error_that_lists_all():
    """Without a near name, all known ones."""
    text = error_text(xyzzy=1)
    assert "unknown parameter 'xyzzy'" in text
    for name in DEFAULTS:
        assert name in text


@pytest.mark.parametrize(("lower", "upper"), [(5, 3), (0.1, -0.1), (1e-300, 0)])
def test_lower_above_upper_is_an_error_that_shows_both(lower, upper):
    """Limits out of order."""
    text = error_text(lower=lower, upper=upper)
    assert f"lower={float(lower)!r}" in text
    assert f"upper={upper!r}" in text
    assert "below" in text


def test_equal_limits_are_allowed():
    """One value only, say of integers."""
    params = SkyMatchParams.checked({"lower": 3, "upper": 3})
    assert (params.lower, params.upper) == (3.0, 3.0)


def test_all_errors_are_named_at_once():
    """Bad values and unknown names in one text, each once."""
    text = error_text(nclip=-1, skystat="MEDIAN", lower="x", dq_bits="foo", nclipp=3)
    for part in ("nclip=-1", "skystat='MEDIAN'", "lower='x'", "dq_bits='foo'", "'nclipp'"):
        assert text.count(part) == 1


def test_limits_out_of_order_are_named_beside_other_errors():
    """Both faults in one text."""
    text = error_text(lower=5, upper=3, nclip=-1)
    assert "nclip=-1" in text
    assert "lower=5" in text


@pytest.mark.parametrize("blank", ["", "  ", "None", "INDEF", None])
@pytest.mark.parametrize("name", ["reference", "invsens_kwd", "logfile"])
def test_blank_text_means_none(name, blank):
    """As in parameter files."""
    assert getattr(SkyMatchParams.checked({name: blank}), name) is None


@pytest.mark.parametrize("name", ["units_kwd", "invsens_kwd", "skyuser_kwd"])
def test_keywords_are_in_capitals(name):
    """FITS keywords have no lower case."""
    assert getattr(SkyMatchParams.checked({name: " my-kwd_1 "}), name) == "MY-KWD_1"


def test_integers_are_numbers():
    """An int where a float is meant becomes one."""
    params = SkyMatchParams.checked({"lower": 3, "lsigma": 2, "binwidth": 1})
    assert [type(v) for v in (params.lower, params.lsigma, params.binwidth)] == [float] * 3


@pytest.mark.parametrize(
    ("name", "value", "plain"),
    [
        ("nclip", np.int64(3), 3),
        ("nclip", np.uint8(3), 3),
        ("lsigma", np.float32(2.5), 2.5),
        ("upper", np.float64(7.0), 7.0),
        ("upper", np.int16(7), 7.0),
        ("readonly", np.bool_(False), False),
        ("skystat", np.str_("mean"), "mean"),
        ("dq_bits", np.int32(-13), -13),
        ("dq_bits", np.str_("4,8"), 12),
    ],
)
def test_numpy_scalars_are_plain_values(name, value, plain):
    """Accepted, and kept as Python's own types."""
    found = getattr(SkyMatchParams.checked({name: value}), name)
    assert found == plain
    assert type(found) is type(plain)


@pytest.mark.parametrize(("name", "value"), [("nclip", np.float64(2.5)), ("nclip", np.bool_(True)), ("lower", np.nan)])
def test_numpy_scalars_are_checked_like_plain_values(name, value):
    """No way round the checks."""
    assert f"{name}=" in error_text(**{name: value})


@pytest.mark.parametrize(("value", "bits"), [("4,8", 12), ("~4+8", -13), ("~(4,8)", -13), (0, 0), ("None", None)])
def test_dq_bits_are_kept_as_an_integer(value, bits):
    """The expression is read when it is given."""
    assert SkyMatchParams.checked({"dq_bits": value}).dq_bits == bits


def test_parameters_cannot_be_assigned_or_added():
    """Frozen."""
    params = SkyMatchParams()
    with pytest.raises(ValidationError, match="frozen"):
        params.nclip = 3
    with pytest.raises(ValidationError, match="frozen"):
        del params.nclip
    with pytest.raises(ValidationError):
        params.nclipp = 3
    assert params == SkyMatchParams()


def test_equal_parameters_have_equal_hashes():
    """They can be keys."""
    one, other = SkyMatchParams.checked({"nclip": 3}), SkyMatchParams().changed(nclip=3)
    assert one == other
    assert hash(one) == hash(other)
    assert one != SkyMatchParams()


def test_changed_makes_a_copy():
    """The original stays, the others stay."""
    params = SkyMatchParams.checked({"skystat": "mean"})
    copy = params.changed(nclip=3, dq_bits="4,8")
    assert (copy.nclip, copy.dq_bits, copy.skystat) == (3, 12, "mean")
    assert params == SkyMatchParams.checked({"skystat": "mean"})


def test_changed_to_nothing_is_equal():
    """No change."""
    params = SkyMatchParams.checked({"dq_bits": "~4", "lower": 2})
    assert params.changed() == params


@pytest.mark.parametrize("change", [{"nclip": -1}, {"nclipp": 3}, {"skystat": "MEDIAN"}, {"upper": 1.0}])
def test_changed_is_checked(change):
    """As when new, together with the values that stay."""
    params = SkyMatchParams.checked({"lower": 2.0})
    with pytest.raises(ParameterError, match=next(iter(change))):
        params.changed(**change)
    assert params.nclip == 5


def test_every_parameter_is_read_by_one_step():
    """Over all steps, each once, with its value."""
    params = SkyMatchParams.checked({"nclip": 7, "skystat": "mean"})
    read = [pair for step in sorted({s.step for s in specs()}) for pair in params.read_by(step)]
    assert sorted(name for name, _ in read) == sorted(DEFAULTS)
    assert dict(read) == params.model_dump()


@pytest.mark.parametrize(
    ("step", "names"),
    [
        ("mask", ["dq_bits", "exclude_regions", "include_regions"]),
        ("sources", ["mask_sources", "mask_sources_npixels", "mask_sources_dilate"]),
        ("limits", ["lower", "upper"]),
        ("measure", ["skystat", "nclip", "lsigma", "usigma", "binwidth"]),
        (
            "solve",
            ["skymethod", "match_down", "reference", "weighting", "robust", "anchor", "isolated", "fixed"],
        ),
        ("apply", ["skyuser_kwd", "subtractsky", "backup", "allow_mixed", "in_place"]),
        ("write", ["readonly"]),
        ("units", ["units_kwd", "invsens_kwd"]),
        ("footprint", ["footprint_from"]),
        ("no such step", []),
    ],
)
def test_step_reads_its_own_parameters(step, names):
    """What a step depends on, in the order of declaration."""
    assert [name for name, _ in SkyMatchParams().read_by(step)] == names


numbers = st.floats(allow_nan=False, allow_infinity=False)
words = st.text(min_size=1, max_size=30).filter(lambda t: t.strip() not in ("", "None", "INDEF"))
keywords = st.text("ABCXYZ0189-_", min_size=1, max_size=8)
optional_keywords = keywords.filter(lambda k: k not in ("INDEF", "NONE"))
DEGREES = st.floats(0, 360, exclude_max=True)
ENTRIES = st.builds("/some folder/{}.reg".format, st.text("abc|, ", min_size=1)) | st.builds(
    'icrs; circle({!r},20.5,3")'.format, DEGREES
)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "skymethod": st.sampled_from(["globalmin+match", "localmin", "globalmin", "match"]),
        "reference": st.none() | words,
        "robust": st.none() | st.just("huber"),
        "fixed": st.none() | st.dictionaries(words.map(str.strip), numbers, min_size=1),
        "skystat": st.sampled_from(["mode", "mean", "median", "midpt", "binmode", "biweight", "sextractor"]),
        "nclip": st.integers(0, 100),
        "lsigma": st.floats(0, 1000, exclude_min=True),
        "usigma": st.floats(0, 1000, exclude_min=True),
        "binwidth": st.floats(0.001, 1),
        "dq_bits": st.none()
        | st.integers(-(2**63), 2**63).filter(lambda bits: bits != -1)
        | st.sampled_from(["default", "HOT+WARM", "~DO_NOT_USE+4"]),
        "units_kwd": keywords,
        "invsens_kwd": st.none() | optional_keywords,
        "skyuser_kwd": keywords.map(lambda k: f"S{k}"[:8]),
        "optimize": st.sampled_from(["balanced", "speed", "inmemory"]),
        "exclude_regions": st.none() | st.lists(ENTRIES, min_size=1, unique=True).map(tuple),
        "mask_sources": st.none() | st.floats(0, 1000, exclude_min=True),
        "logfile": st.none() | words,
        **{name: st.booleans() for name in FLAGS},
    },
)
LIMITS = st.tuples(st.none() | numbers, st.none() | numbers).filter(lambda p: None in p or p[0] <= p[1])


@settings(deadline=None)
@given(VALUES, LIMITS)
def test_any_valid_values_survive_json_and_pickle(values, limits):
    """They are kept as given, and come back equal from a file and from another process."""
    values = {**values, "lower": limits[0], "upper": limits[1]}
    params = SkyMatchParams.checked(values)
    assert {name: getattr(params, name) for name in values} == values
    assert SkyMatchParams.model_validate_json(params.model_dump_json()) == params
    assert SkyMatchParams.checked(params.model_dump()) == params
    assert pickle.loads(pickle.dumps(params)) == params


@pytest.mark.parametrize("text", ['{"nclip": -1}', '{"nclip": "3"}', '{"nclipp": 3}', '{"lower": 2, "upper": 1}', "[]"])
def test_json_is_checked(text):
    """A file is no way round the checks."""
    with pytest.raises(ValidationError):
        SkyMatchParams.model_validate_json(text)
