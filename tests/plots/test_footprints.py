"""The footprint map, without a browser."""

import numpy as np
import pytest
from bokeh.models import HoverTool, Patches
from bokeh.plotting import figure

from skymatch_nb import SkyMatchSession
from skymatch_nb.geometry import to_vectors
from skymatch_nb.plots.footprints import SkyPlane


@pytest.fixture
def session(mosaic):
    return SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False)


def test_map_shows_every_member_and_overlap(session):
    plot = session.plot_footprints()
    assert isinstance(plot, figure)
    sources = {r.data_source.name: r.data_source.data for r in plot.renderers}
    assert sources["members"]["member"] == list(session.members.index)
    assert len(sources["overlaps"]["xs"]) == len(session.overlaps)
    assert all(isinstance(r.glyph, Patches) for r in plot.renderers)


def test_sky_is_shown_once_it_is_known(session):
    assert set(session.plot_footprints().renderers[0].data_source.data["shown"]) == {"none"}
    sky = session.solve().sky
    data = session.plot_footprints().renderers[0].data_source.data
    assert data["sky"] == sky.tolist()
    hover = next(tool for tool in session.plot_footprints().tools if isinstance(tool, HoverTool))
    assert ("sky", "@shown") in hover.tooltips


def test_ra_grows_to_the_left_and_scales_are_equal(session):
    plot = session.plot_footprints()
    assert plot.x_range.start > plot.x_range.end
    assert plot.y_range.start < plot.y_range.end
    scale = [
        abs(plot.x_range.start - plot.x_range.end) / plot.frame_width,
        abs(plot.y_range.end - plot.y_range.start) / plot.frame_height,
    ]
    assert scale[0] == pytest.approx(scale[1], rel=1e-6)


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 0.0), (359.99, 60.0), (12.0, 90.0), (200.0, -89.99), (100.0, -30.0)])
def test_offsets_point_north_and_east_everywhere(ra, dec):
    center = to_vectors(np.array([ra]), np.array([dec]))[0]
    around = to_vectors(np.full(2, ra), np.array([dec - 0.01, min(dec + 0.01, 90.0)]))
    plane = SkyPlane(np.vstack([center, around, to_vectors(np.array([ra + 0.02]), np.array([dec]))]))
    x, y = plane.offsets(around)
    assert y[1] > y[0]
    assert plane.unit in ("arcmin", "arcsec")
    if abs(dec) < 80:
        assert x == pytest.approx([x[0], x[0]], abs=1e-3 * abs(y[1] - y[0]))
        east, _ = plane.offsets(to_vectors(np.array([ra + 0.01]), np.array([dec])))
        assert east[0] > x[0]
        assert np.hypot(x[1] - x[0], y[1] - y[0]) == pytest.approx(
            0.02 * {"arcmin": 60, "arcsec": 3600}[plane.unit], rel=1e-6
        )
