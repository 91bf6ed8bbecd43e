"""Units of the tables' columns."""

import pytest

from skymatch_nb import ParameterError, SkyMatchSession

pytestmark = pytest.mark.filterwarnings("ignore::skymatch_nb.errors.SkyMatchWarning")


@pytest.mark.parametrize(
    ("bunits", "data", "brightness", "factor"),
    [
        (("electron/s", "electron/s"), "electron/s", "electron / (s arcsec2)", "electron / (s arcsec2) / (electron/s)"),
        (("DN", "DN"), "DN", "DN / (s arcsec2)", "DN / (s arcsec2) / DN"),
        (("rubbish/s", "rubbish/s"), "rubbish/s", "(rubbish/s) / arcsec2", "(rubbish/s) / arcsec2 / (rubbish/s)"),
        (("cps", "cps"), "cps", "count / (s arcsec2)", "count / (s arcsec2) / cps"),
        (("rubbish", "rubbish"), "rubbish", "rubbish / (s arcsec2)", "rubbish / (s arcsec2) / rubbish"),
        (("DN", "electron"), "data unit", "data unit / (s arcsec2)", "data unit / (s arcsec2) / data unit"),
        ((None, None), "data unit", "data unit / (s arcsec2)", "data unit / (s arcsec2) / data unit"),
    ],
)
def test_columns_have_the_unit_of_the_data_where_it_is_known(write_image, bunits, data, brightness, factor):
    paths = [write_image(f"{name}.fits", BUNIT=unit) for name, unit in zip("ab", bunits, strict=True)]
    s = SkyMatchSession(paths, skymethod="localmin", verbose=False)
    units = s.sky.attrs["units"]
    assert {units[c] for c in ("sky_data", "sky_data_err", "header_old", "header_new")} == {data}
    assert units["sky"] == brightness
    assert s.members.attrs["units"]["factor"] == factor
    assert s.members.attrs["units"]["sky_header"] == data
    assert s.applied.attrs["units"]["old"] == data


def test_flags_have_meanings_and_tell_where_they_are_good(mosaic):
    name = mosaic.paths[0].name
    flags = SkyMatchSession(mosaic.paths, dq_bits={name: "HOT", "*": 0}, verbose=False).flags
    assert list(flags.columns) == ["name", "meaning", "good_in", "members"]
    assert flags.index.names == ["camera", "flag"]
    by_name = flags.reset_index().set_index("name")
    assert by_name.loc["HOT", ["camera", "flag", "meaning", "good_in", "members"]].tolist() == [
        "SIMULATED SKYCAM CCD",
        16,
        "hot pixel",
        2,
        12,
    ]
    assert by_name.good_in.drop("HOT").eq(0).all()
    assert SkyMatchSession(mosaic.paths, dq_bits=None, verbose=False).flags.empty


def test_a_telescope_is_named_in_mappings(mosaic):
    s = SkyMatchSession(mosaic.paths, dq_bits={"SIMULATED": "HOT"}, verbose=False)
    assert set(s.masks.dq_good) == {"HOT"}
    with pytest.raises(ParameterError, match=r"'JWST' is no member, .*instrument or telescope \(CCD, "):
        SkyMatchSession(mosaic.paths, dq_bits={"JWST": 0}, verbose=False).mask()


def test_groups_are_called_what_they_are(mosaic):
    s = SkyMatchSession(mosaic.paths, skymethod="match", group_by="chip", verbose=False)
    loaded = s._pipeline.require("group")[0]
    assert loaded.noun == "chip"
    assert not any("exposure" in note for note in s.run().notes)
    assert SkyMatchSession(mosaic.paths, verbose=False)._pipeline.require("group")[0].noun == "exposure"
    both = {p.name: f"group {k // 2}" for k, p in enumerate(mosaic.paths)}
    assert SkyMatchSession(mosaic.paths, group_by=both, verbose=False)._pipeline.require("group")[0].noun == "group"
