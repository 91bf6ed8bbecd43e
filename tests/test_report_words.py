"""The sentences of a report, method by method."""

import pytest

from skymatch_nb import SkyMatchSession
from skymatch_nb.report_words import in_words, noun_of, outlier_warnings

pytestmark = pytest.mark.filterwarnings("ignore::skymatch_nb.errors.SkyMatchWarning")


def words(session):
    return " ".join(in_words(session._summary(), session.members, session.sky, session.residuals))


@pytest.fixture
def field(write_image):
    """Two exposures that overlap, one far away, one without a good pixel."""
    paths = [write_image("a.fits", level=5.0), write_image("b.fits", ra=10.002, level=7.0, seed=1)]
    paths += [write_image("far.fits", ra=10.2, level=3.0), write_image("masked.fits", ra=10.001, level=4.0)]

    def session(**params):
        masks = {"masked.fits": lambda pixels: pixels > 1e9}
        return SkyMatchSession(paths, **{"skystat": "median", **params}, masks=masks, verbose=False)

    return session


@pytest.mark.parametrize(
    ("params", "told", "untold"),
    [
        (
            {"skymethod": "localmin"},
            [
                "Every exposure was given its own sky",
                "Without a level: masked.fits (no good pixels)",
                "does not use overlaps",
            ],
            ["atched, ", "far.fits"],
        ),
        ({"skymethod": "globalmin"}, ["All exposures were given the same sky"], ["ot matched", "Without"]),
        (
            {"skymethod": "match"},
            ["Not matched, and without a level: far.fits (no overlap), masked.fits (no good pixels)"],
            ["baseline"],
        ),
        (
            {"skymethod": "globalmin+match"},
            [
                "Not matched, but given the baseline: far.fits (no overlap), masked.fits (no good pixels)",
                "the lowest remaining sky was added",
            ],
            ["without a level"],
        ),
        (
            {"skymethod": "match", "isolated": "own"},
            [
                "Not matched, but given their own sky: far.fits (no overlap)",
                "masked.fits (no good pixels)",
                "keep their own sky (isolated own)",
            ],
            ["baseline"],
        ),
        (
            {"skymethod": "match", "leave_out": ["far.fits"]},
            ["Left out, and without a level: far.fits."],
            ["far.fits (no"],
        ),
    ],
)
def test_what_became_of_every_group_is_told_as_its_method_has_it(field, params, told, untold):
    text = words(field(**params))
    for part in told:
        assert part in text
    for part in untold:
        assert part not in text


def test_parameters_that_are_not_at_their_defaults_are_told(mosaic):
    s = SkyMatchSession(
        mosaic.paths, skymethod="match", overlap_stat="difference", weighting="variance", robust="huber", nclip=3,
        anchor="component", group_by="chip", fixed={"demo_01_flt.fits[SCI,1]": 0.1}, verbose=False,
    )  # fmt: skip
    text = words(s)
    for part in (
        "make overlapping chips agree", "(overlap_stat difference)", "inverse variance", "(weighting variance)",
        "(robust huber)", "(anchor component)", "Every chip has a level of its own", "demo_01_flt.fits[SCI,1] = 0.1",
        "Other parameters that were changed: nclip = 3.", "of 12 chips have a level",
    ):  # fmt: skip
        assert part in text
    assert "exposure" not in text
    assert noun_of(s.members) == "chip"


def test_defaults_are_not_told(mosaic):
    text = words(SkyMatchSession(mosaic.paths, verbose=False))
    for part in ("(overlap_stat", "(weighting", "(robust", "Other parameters", "(anchor"):
        assert part not in text


def test_outliers_are_warned_of_worst_first(mosaic):
    s = SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False)
    assert outlier_warnings(s._summary(), s.residuals) == []
    bad = s.residuals.copy()
    bad.iloc[2, bad.columns.get_loc("pull")] = -7.25
    bad.iloc[4, bad.columns.get_loc("pull")] = 6.0
    (text,) = outlier_warnings(s._summary(), bad)
    assert text.startswith("2 of 11 pairs differ after matching by more than 5 standard errors, the largest: ")
    first, second = (" − ".join(bad.index[k]) for k in (2, 4))
    assert text.index(f"{first} (-7.2)") < text.index(f"{second} (+6.0)")
    local = SkyMatchSession(mosaic.paths, skymethod="localmin", verbose=False)
    assert outlier_warnings(local._summary(), bad) == []
