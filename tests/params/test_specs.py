"""The declaration as data, and the reading of typed text."""

from dataclasses import FrozenInstanceError

import pytest

from skymatch_nb.errors import ParameterError
from skymatch_nb.params import SkyMatchParams, specs
from skymatch_nb.params.specs import spec

KINDS = {
    "choice": [
        "skymethod",
        "weighting",
        "robust",
        "anchor",
        "isolated",
        "overlap_stat",
        "skystat",
        "footprint_from",
        "optimize",
        "executor",
    ],
    "flag": [
        "match_down",
        "readonly",
        "subtractsky",
        "backup",
        "allow_mixed",
        "in_place",
        "clobber",
        "clean",
        "verbose",
    ],
    "integer": ["min_overlap_pixels", "nclip", "mask_sources_npixels", "mask_sources_dilate"],
    "number": ["min_overlap_fraction", "lsigma", "usigma", "binwidth", "mask_sources"],
    "limit": ["lower", "upper"],
    "bits": ["dq_bits"],
    "mapping": ["fixed"],
    "text": [
        "group_by",
        "reference",
        "leave_out",
        "exclude_regions",
        "include_regions",
        "wcs_key",
        "units_kwd",
        "invsens_kwd",
        "skyuser_kwd",
        "logfile",
    ],
}
OPTIONAL = [
    "reference",
    "robust",
    "fixed",
    "leave_out",
    "lower",
    "upper",
    "dq_bits",
    "exclude_regions",
    "include_regions",
    "mask_sources",
    "wcs_key",
    "invsens_kwd",
    "logfile",
]
every_spec = pytest.mark.parametrize("parameter", specs(), ids=lambda s: s.name)


def test_specs_are_all_parameters_in_their_order():
    """One each."""
    assert [s.name for s in specs()] == list(SkyMatchParams.model_fields)


@every_spec
def test_default_is_that_of_the_model(parameter):
    """Declared once."""
    assert parameter.default == getattr(SkyMatchParams(), parameter.name)


@every_spec
def test_help_is_sentences(parameter):
    """Non-empty, from a capital to a full stop, on one line."""
    assert len(parameter.help.split()) >= 4
    assert parameter.help[0].isupper()
    assert parameter.help.endswith(".")
    assert "\n" not in parameter.help
    assert "  " not in parameter.help


@every_spec
def test_step_is_named(parameter):
    """The step that reads it reads it."""
    assert parameter.name in dict(SkyMatchParams().read_by(parameter.step))


@pytest.mark.parametrize(("kind", "names"), KINDS.items())
def test_kinds(kind, names):
    """Every parameter has the kind of its type."""
    assert [s.name for s in specs() if s.kind == kind] == names


def test_optional_parameters_allow_none():
    """Those, and the model agrees."""
    assert [s.name for s in specs() if s.optional] == OPTIONAL
    for parameter in specs():
        if parameter.optional:
            assert getattr(SkyMatchParams.checked({parameter.name: None}), parameter.name) is None
        else:
            with pytest.raises(ParameterError, match=parameter.name):
                SkyMatchParams.checked({parameter.name: None})


@pytest.mark.parametrize(
    ("name", "minimum", "maximum", "open_minimum"),
    [
        ("nclip", 0, 100, False),
        ("lsigma", 0, 1000, True),
        ("usigma", 0, 1000, True),
        ("binwidth", 0.001, 1, False),
        ("lower", None, None, False),
        ("upper", None, None, False),
        ("skystat", None, None, False),
    ],
)
def test_bounds(name, minimum, maximum, open_minimum):
    """As declared."""
    found = spec(name)
    assert (found.minimum, found.maximum, found.open_minimum) == (minimum, maximum, open_minimum)


@pytest.mark.parametrize("name", ["nclip", "lsigma", "usigma", "binwidth"])
def test_bounds_are_those_that_are_checked(name):
    """The bounds are allowed unless open; beyond them is an error."""
    found = spec(name)
    number = int if found.kind == "integer" else float
    SkyMatchParams.checked({name: number(found.maximum)})
    outside = [found.maximum + 1, found.minimum if found.open_minimum else found.minimum - 1]
    if not found.open_minimum:
        SkyMatchParams.checked({name: number(found.minimum)})
    for value in outside:
        with pytest.raises(ParameterError, match=name):
            SkyMatchParams.checked({name: number(value)})


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("skymethod", ("globalmin+match", "localmin", "globalmin", "match")),
        ("skystat", ("mode", "mean", "median", "midpt", "binmode", "biweight", "sextractor")),
        ("optimize", ("balanced", "speed", "inmemory")),
        ("nclip", ()),
        ("readonly", ()),
    ],
)
def test_choices(name, choices):
    """In the order of declaration; none for other kinds."""
    assert spec(name).choices == choices


@pytest.mark.parametrize(
    ("name", "unit"), [("lower", "data"), ("upper", "data"), ("lsigma", "sigma"), ("binwidth", "sigma"), ("nclip", "")]
)
def test_units(name, unit):
    """Of the pixels, of their deviation, or none."""
    assert spec(name).unit == unit


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("skystat", "mode | mean | median | midpt | binmode | biweight | sextractor"),
        ("nclip", ">= 0, <= 100"),
        ("lsigma", "> 0, <= 1000"),
        ("binwidth", ">= 0.001, <= 1"),
        ("lower", "or None"),
        ("readonly", ""),
        ("robust", "huber | None"),
        ("fixed", "or None"),
    ],
)
def test_allowed_values_in_words(name, allowed):
    """For tables and messages."""
    assert spec(name).allowed == allowed


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("nclip", "3", 3),
        ("nclip", " 3 ", 3),
        ("nclip", "-1", -1),
        ("lsigma", "2.5", 2.5),
        ("lsigma", "2", 2.0),
        ("lower", "-1e3", -1000.0),
        ("lower", "None", None),
        ("lower", "-3 sigma", "-3 sigma"),
        ("upper", "a.fits=5,b=-2sigma,*=None", {"a.fits": 5.0, "b": "-2sigma", "*": "None"}),
        ("upper", "none", None),
        ("readonly", "True", True),
        ("readonly", "false", False),
        ("verbose", "YES", True),
        ("verbose", "no", False),
        ("clean", "1", True),
        ("clean", "0", False),
        ("skystat", "median", "median"),
        ("robust", "huber", "huber"),
        ("robust", "None", None),
        ("fixed", "a.fits=0.5,b.fits=1", "a.fits=0.5,b.fits=1"),
        ("dq_bits", "~4+8", "~4+8"),
        ("dq_bits", "~HOT+4", "~HOT+4"),
        ("dq_bits", "None", None),
        ("units_kwd", "BUNIT", "BUNIT"),
        ("wcs_key", "A", "A"),
        ("wcs_key", "None", None),
        ("invsens_kwd", "None", None),
        ("reference", " a b.fits ", "a b.fits"),
    ],
)
def test_text_is_read_by_kind(name, text, value):
    """As typed on a command line; checks come later."""
    found = spec(name).parse(text)
    assert found == value
    assert type(found) is type(value)


@every_spec
def test_default_as_text_is_read_back(parameter):
    """What a help page shows can be typed."""
    value = parameter.parse(str(parameter.default))
    assert SkyMatchParams.checked({parameter.name: value}) == SkyMatchParams()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nclip", "2.5"),
        ("nclip", "many"),
        ("nclip", "None"),
        ("nclip", ""),
        ("lsigma", "four"),
        ("lower", ""),
        ("readonly", "maybe"),
        ("readonly", ""),
        ("readonly", "2"),
    ],
)
def test_text_of_another_kind_is_an_error_that_names_both(name, text):
    """Parameter and text as typed."""
    with pytest.raises(ParameterError) as error:
        spec(name).parse(text)
    assert f"{name}={text!r}: must be" in str(error.value)


def test_spec_of_an_unknown_name_is_a_key_error():
    """There is none."""
    with pytest.raises(KeyError, match="nclipp"):
        spec("nclipp")


def test_specs_cannot_be_changed():
    """They are shared by all who ask."""
    with pytest.raises(FrozenInstanceError):
        specs()[0].default = "other"
    assert isinstance(specs(), tuple)
