"""Tables of a session."""

import pytest

COLUMNS = {
    "members": "file ext group telescope instrument detector filter date_obs ny nx data_type exptime inv_sensitivity "
    "pixel_scale factor sky_header",
    "masks": "pixels good good_fraction bad_dq bad_user bad_region bad_value bad_source dq_good",
    "footprints": "ra dec area_arcsec2 vertices overlaps",
    "overlaps": "member_a member_b group_a group_b area_arcsec2 npix_a npix_b sky_a sky_b difference difference_err "
    "status",
    "sky": "group component status sky sky_err sky_data sky_data_err header_old header_new baseline_err",
    "residuals": "before after err pull npix weight status",
    "applied": "keyword old new subtracted backup status",
}


@pytest.mark.parametrize("table", COLUMNS)
def test_tables_have_the_promised_columns_and_units(session, table):
    frame = getattr(session, table)
    names = list(frame.columns)
    assert names[: len(COLUMNS[table].split())] == COLUMNS[table].split()
    assert set(frame.attrs["units"]) == set(names)
    if table == "residuals":
        assert list(frame.index.names) == ["group_a", "group_b"]
    elif table != "overlaps":
        assert frame.index.name == "member"
        assert list(frame.index) == list(session.members.index)
