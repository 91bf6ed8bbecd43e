"""Maps between members are right at every pixel, not only at their nodes."""

from pathlib import Path

import numpy as np
import pytest

from skymatch_nb import SkyMatchSession
from skymatch_nb.core.raster import full_spans, polygon_spans
from skymatch_nb.datasets import make_mosaic
from skymatch_nb.errors import GeometryError
from skymatch_nb.geometry.outlines import outline_polygon
from skymatch_nb.geometry.sphere import project
from skymatch_nb.pixelmaps import map_between, polygons_to_cells


def largest_error(member, other):
    """Distance in pixels of the interpolated map from the exact one, at pixels that lie on the other member."""
    spans = full_spans(member.shape)
    pixel_map = map_between(member, other, spans)
    rows = np.unique(np.linspace(0, member.shape[0] - 1, 300).astype(int))
    columns = np.unique(np.linspace(0, member.shape[1] - 1, 300).astype(int))
    x, y = np.meshgrid(columns.astype(float), rows.astype(float))
    exact = other.wcs.to_pixels(*member.wcs.to_sky(x.ravel(), y.ravel()))
    j, i = rows // pixel_map.step, columns // pixel_map.step
    v, u = (rows / pixel_map.step - j)[:, None], columns / pixel_map.step - i
    error = 0.0
    inside = np.ones(x.shape, bool)
    for nodes, true, size in zip((pixel_map.x, pixel_map.y), exact, other.shape[::-1], strict=True):
        true = true.reshape(x.shape)
        corners = [[nodes[j + dj][:, i + di] for di in (0, 1)] for dj in (0, 1)]
        found = (1 - v) * ((1 - u) * corners[0][0] + u * corners[0][1]) + v * (
            (1 - u) * corners[1][0] + u * corners[1][1]
        )
        inside &= (true > -0.5) & (true < size - 0.5)
        error = max(error, float(np.abs(found - true)[inside].max(initial=0.0)))
    assert inside.sum() > 100
    return error


@pytest.mark.parametrize("distortion", [0.0, 1.0, 5.0])
def test_the_map_of_rotated_distorted_chips_is_exact_to_a_fiftieth_of_a_pixel(tmp_path, distortion):
    made = make_mosaic(
        tmp_path, rows=1, cols=2, shape=(512, 700), overlap=0.5, rotation=30.0, distortion=distortion, seed=2
    )
    loaded = SkyMatchSession(made.paths, verbose=False).run("load").fresh_result("load")
    assert largest_error(loaded.members[0], loaded.members[2]) < 0.02
    assert largest_error(loaded.members[2], loaded.members[0]) < 0.02


@pytest.mark.filterwarnings("ignore::skymatch_nb.errors.SkyMatchWarning")
def test_the_map_of_real_hubble_chips_is_exact_to_a_fiftieth_of_a_pixel(realdata: Path):
    """SIP, NPOL and D2IM: tables that change the map from column to column."""
    found = sorted(realdata.glob("hst_acs_wfc/2chip[AB]*.fits.gz")) + sorted(
        realdata.glob("hst_acs_wfc/j94f05bgq*.fits.gz")
    )
    if not found:
        pytest.skip("no ACS files")
    loaded = SkyMatchSession(found, verbose=False).run("load").fresh_result("load")
    big = [m for m in loaded.members if min(m.shape) > 1000]
    assert big
    for member in big:
        assert largest_error(member, member) < 0.02


class TestPolygonsToCells:
    def test_cells_lie_in_the_overlaps_of_each_member(self, mosaic):
        """Against one polygon after another, projected about its member alone."""
        s = SkyMatchSession(mosaic.paths, skymethod="match", verbose=False)
        s.solve()
        s = SkyMatchSession(mosaic.paths, skymethod="match", verbose=False)
        s.solve()
        outlines, overlaps = s.fresh_result("footprint").outlines, s.fresh_result("overlap")
        mine = [
            [p for k, p in enumerate(overlaps.polygons) if m in (overlaps.member_a[k], overlaps.member_b[k])]
            for m in range(len(outlines))
        ]
        counts = [32 if m % 2 else 16 for m in range(len(outlines))]
        grids = list(polygons_to_cells(outlines, mine, counts))
        for outline, polygons, grid, cells in zip(outlines, mine, grids, counts, strict=True):
            edge = project(outline.vectors, outline.center)
            corner, size = edge.min(axis=0), np.ptp(edge, axis=0)
            for polygon, found in zip(polygons, grid, strict=True):
                x, y = ((project(polygon.vectors, outline.center) - corner) / size * cells - 0.5).T
                expected = np.zeros((cells, cells), bool)
                for row, start, stop in polygon_spans(x, y, polygon.ring_offsets, (cells, cells)):
                    expected[row, start:stop] = True
                np.testing.assert_array_equal(found, expected)
        assert sum(grid.any() for grid in grids) > 4

    def test_a_polygon_on_the_other_side_of_the_sky(self, mosaic):
        s = SkyMatchSession(mosaic.paths, skymethod="match", verbose=False)
        s.solve()
        s = SkyMatchSession(mosaic.paths, skymethod="match", verbose=False)
        s.solve()
        (outline, *_) = s.fresh_result("footprint").outlines
        opposite = outline_polygon(outline)
        far = type(opposite)(-opposite.vectors, opposite.ring_offsets)
        with pytest.raises(GeometryError, match="85 degrees"):
            list(polygons_to_cells([outline], [[far]], [8]))
