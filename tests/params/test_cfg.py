"""TEAL parameter files."""

import pytest

from skymatch_nb.errors import ParameterError
from skymatch_nb.params import SkyMatchParams, specs
from skymatch_nb.params.cfg import PUBLISHED

FILE = """_task_name_ = skymatch
input = "*_flt.fits"
skymethod = 'globalmin+match'
match_down = True
skystat = 'mode'
lower = None
upper = None
nclip = 5
lsigma = 4.0
usigma = 4.0
binwidth = 0.1
skyuser_kwd = 'SKYUSER'
units_kwd = 'BUNIT'
invsens_kwd = None
readonly = True
subtractsky = False
dq_bits = "0"
optimize = 'balanced'
clobber = True
clean = True
verbose = True
logfile='skymatch.log'
[_RULES_]
"""


def test_file_of_the_reference_can_be_read(tmp_path):
    path = tmp_path / "skymatch.cfg"
    path.write_text(FILE)
    assert SkyMatchParams.from_cfg(path) == SkyMatchParams(clobber=True, dq_bits=0, logfile="skymatch.log")


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"lower": -3.5, "upper": 1e6, "nclip": 0, "dq_bits": "~4+8", "skystat": "midpt"},
        {"fixed": {"a b#1.fits[SCI,1]": -0.1, "VISIT=12": 1e-20}, "robust": "huber", "weighting": "variance"},
        {"dq_bits": None, "logfile": "a b, c.log", "reference": "x#1.fits", "readonly": False},
    ],
)
def test_what_is_written_is_read_again(tmp_path, changed):
    params = SkyMatchParams.checked(changed)
    params.to_cfg(tmp_path / "p.cfg", "j*_flt.fits")
    assert SkyMatchParams.from_cfg(tmp_path / "p.cfg") == params
    text = (tmp_path / "p.cfg").read_text()
    names = [line.partition(" = ")[0] for line in text.splitlines() if line[:1].isalpha()]
    default = SkyMatchParams()
    past = {s.name for s in specs()} - set(PUBLISHED)
    assert set(names) == {"input", *PUBLISHED, *(n for n in past if getattr(params, n) != getattr(default, n))}
    assert "input = j*_flt.fits" in text


@pytest.mark.parametrize("value", ["4,8", "'4,8'", "4+8", "12"])
def test_flags_may_be_a_list(tmp_path, value):
    (tmp_path / "p.cfg").write_text(f"dq_bits = {value}\n")
    assert SkyMatchParams.from_cfg(tmp_path / "p.cfg").dq_bits == 12


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nclip = many", "nclip='many'"),
        ("nclips = 3", "unknown parameter 'nclips'"),
        ("skystat = Mode", "skystat='Mode'"),
        ("_task_name_ = astrodrizzle", "task 'astrodrizzle'"),
        ("[[[broken", "not a parameter file"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(tmp_path, text, message):
    path = tmp_path / "p.cfg"
    path.write_text(text + "\n")
    with pytest.raises(ParameterError) as error:
        SkyMatchParams.from_cfg(path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_file(tmp_path):
    with pytest.raises(ParameterError, match=r"none\.cfg"):
        SkyMatchParams.from_cfg(tmp_path / "none.cfg")


def test_an_empty_field_is_none(tmp_path):
    (tmp_path / "p.cfg").write_text('lower = ""\nupper = \ninvsens_kwd = ""\ndq_bits = ""\n')
    params = SkyMatchParams.from_cfg(tmp_path / "p.cfg")
    assert (params.lower, params.upper, params.invsens_kwd, params.dq_bits) == (None, None, None, None)
