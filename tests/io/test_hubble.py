"""Hubble's distortion tables (NPOL, D2IM) in outlines, overlaps and samples, against stwcs itself.

These tests need archive data in the folder that the environment variable SKYMATCH_REALDATA names.
"""

import gzip
from dataclasses import replace

import numpy as np
import pytest
import shapely
from astropy.io import fits
from astropy.wcs import WCS
from stwcs.wcsutil import HSTWCS, headerlet

from skymatch_nb import InputError, SkyMatchSession
from skymatch_nb.core.raster import count_pixels
from skymatch_nb.executor import Work
from skymatch_nb.geometry.candidates import candidate_pairs
from skymatch_nb.geometry.clipping import clip_pairs
from skymatch_nb.geometry.outlines import trace_outline
from skymatch_nb.geometry.sphere import to_radec
from skymatch_nb.io.pixels import read_pixels
from skymatch_nb.io.wcs import read_transform
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.results import Loaded, Overlaps
from skymatch_nb.steps.mask import mask
from skymatch_nb.steps.sample import polygons_to_spans, sample_overlaps

NPOL, D2IM = ("cpdis1", "cpdis2"), ("det2im1", "det2im2")
WITHOUT = {"all tables": (), "no NPOL": NPOL, "no D2IM": D2IM}
SHAPE = NY, NX = (2048, 4096)
STRIP = 106  # columns that the two exposures share
ENLARGED = {"WCSDVARR": 20, "D2IMARR": 80}


def dropped(wcs, tables):
    """Take distortion tables off a WCS."""
    for name in tables:
        setattr(wcs, name, None)
    return wcs


def moved_along_x(wcs, column):
    """Reference position that puts the left edge of an exposure on a column of another of the same WCS."""
    focal = np.array(wcs.pix2foc([column, -0.5], [NY / 2, NY / 2], 0))
    return wcs.wcs_pix2world([wcs.wcs.crpix + focal[:, 0] - focal[:, 1]], 1)[0]


class Chip:
    """A chip with ACS/WFC's header, and a second exposure of it that overlaps the first in a strip.

    Both are seen by the package (``member``) and by stwcs (``hstwcs``).
    """

    def __init__(self, path, members_of):
        self.path = path
        (self.loaded,) = members_of(path)
        column = NX - STRIP + np.argmax(np.abs(self.table("D2IMARR", 2)[0, NX - STRIP : NX - STRIP // 3]))
        self.second = moved_along_x(self.hstwcs(), column - 0.5)

    def table(self, name, version):
        return fits.getdata(self.path, (name, version))

    def open(self, second):
        hdus = fits.open(self.path)
        if second:
            hdus[1].header["CRVAL1"], hdus[1].header["CRVAL2"] = self.second
        return hdus

    def hstwcs(self, tables=(), second=False):
        with self.open(second) as hdus:
            return dropped(HSTWCS(hdus, ext=1), tables)

    def member(self, tables=(), second=False):
        with self.open(second) as hdus:
            transform = read_transform(hdus, 1, "exposure")[0]
        dropped(transform.wcs, tables)
        name = "second" if second else "first"
        return replace(self.loaded, name=name, file=name, group=name, wcs=transform)

    def overlap(self, tables=()):
        """Members of both exposures and what they share: polygon and area."""
        members = self.member(tables), self.member(tables, second=True)
        outlines = [trace_outline(m.wcs, m.shape) for m in members]
        (pair,), (polygon,), (area,), failed = clip_pairs(outlines, np.array([[0, 1]]))
        assert pair.tolist() == [0, 1]
        assert not failed
        return members, polygon, area

    def shared_pixels(self, tables=()):
        """Pixels of the strip of the first exposure that lie in the second one, and those too near its edge to tell."""
        y, x = (v.ravel() for v in np.mgrid[:NY, NX - STRIP - 20 : NX].astype(float))
        sky = self.hstwcs(tables).all_pix2world(x, y, 0)
        u, v = self.hstwcs(tables, second=True).all_world2pix(*sky, 0, tolerance=1e-4)
        inside = np.minimum.reduce([u + 0.5, NX - 0.5 - u, v + 0.5, NY - 0.5 - v])
        index = (y * NX + x).astype(np.int64)
        return set(index[inside > 0]), set(index[np.abs(inside) < 0.05])


@pytest.fixture(scope="module")
def acs_file(realdata):
    path = realdata / "hst_acs_wfc" / "j94f05bgq_flt.fits.gz"
    if not path.exists():
        pytest.skip(f"SKYMATCH_REALDATA has no {path.name}")
    return path


@pytest.fixture(scope="module")
def chip_file(acs_file, tmp_path_factory):
    """Write chip 2 of ACS/WFC with its tables times given factors; each pixel's value is its index."""

    def write(name, **factors):
        path = tmp_path_factory.mktemp("acs") / name
        with fits.open(acs_file) as hdus:
            pixels = np.arange(NY * NX, dtype=np.float32).reshape(NY, NX)
            flags = np.zeros(SHAPE, np.int16)
            flags[::7, -5] = 64
            science = fits.ImageHDU(pixels, hdus["SCI", 2].header, name="SCI", ver=2)
            made = fits.HDUList([hdus[0].copy(), science, fits.ImageHDU(flags, name="DQ", ver=2)])
            for hdu in hdus[7:]:
                made.append(fits.ImageHDU(hdu.data * np.float32(factors.get(hdu.name, 1)), hdu.header))
            made.writeto(path)
        return path

    return write


@pytest.fixture(scope="module")
def chip(chip_file, members_of):
    """The chip as it is."""
    return Chip(chip_file("chip.fits"), members_of)


@pytest.fixture(scope="module")
def enlarged(chip_file, members_of):
    """The chip with tables so much larger that what they do is far more than the accuracy of 0.05 pixel."""
    return Chip(chip_file("enlarged.fits", **ENLARGED), members_of)


@pytest.fixture(scope="module")
def svm_file(realdata):
    """WFC3/UVIS exposure with headerlets and alternate WCS; 10 by 10 pixels."""
    path = realdata / "hst_headers" / "sample_svm_flc.fits.gz"
    if not path.exists():
        pytest.skip(f"SKYMATCH_REALDATA has no {path.name}")
    return path


@pytest.mark.filterwarnings("ignore::astropy.io.fits.verify.VerifyWarning")
class TestLoading:
    def test_acs_with_every_kind_of_distortion(self, acs_file, members_of):
        members = members_of(acs_file)
        assert [m.ext for m in members] == ["SCI,1", "SCI,2"]
        for member in members:
            wcs = member.wcs.wcs
            assert isinstance(wcs, HSTWCS)
            assert member.wcs.transform.distorted
            assert None not in (wcs.sip, wcs.cpdis1, wcs.cpdis2, wcs.det2im1)
            assert member.shape == SHAPE
            assert member.nominal_scale == wcs.idcscale == pytest.approx(0.05)
            assert (member.telescope, member.instrument, member.detector) == ("HST", "ACS", "WFC")
            assert member.filter == "F606W"

    def test_each_chip_has_tables_of_its_own(self, acs_file, members_of):
        one, two = (member.wcs.wcs for member in members_of(acs_file))
        with fits.open(acs_file) as hdus:
            for wcs, versions in ((one, (1, 2)), (two, (3, 4))):
                np.testing.assert_array_equal(wcs.cpdis1.data, hdus["WCSDVARR", versions[0]].data)
                np.testing.assert_array_equal(wcs.cpdis2.data, hdus["WCSDVARR", versions[1]].data)

    @pytest.mark.parametrize(
        ("name", "scale", "tables"),
        [
            ("hst_acs_wfc/2chipA.fits.gz", 0.05, {"cpdis1", "cpdis2"}),
            ("hst_acs_wfc/2chipB.fits.gz", 0.05, {"cpdis1", "cpdis2"}),
            ("hst_acs_wfc/2chipC.fits.gz", 0.03962, set()),
            ("hst_headers/sample_ipppssoot_flc.fits.gz", 0.03962, {"cpdis1", "cpdis2", "det2im1", "det2im2"}),
            ("hst_headers/sample_svm_flc.fits.gz", 0.03962, {"cpdis1", "cpdis2", "det2im1", "det2im2"}),
            ("hst_headers/sample_ipppssoot_flt.fits.gz", 0.12825, set()),
            ("hst_headers/sample_svm_flt.fits.gz", 0.12825, set()),
        ],
    )
    def test_other_exposures(self, realdata, members_of, name, scale, tables):
        path = realdata / name
        if not path.exists():
            pytest.skip(f"SKYMATCH_REALDATA has no {name}")
        members = members_of(path)
        assert [m.ext for m in members] == ["SCI,1", "SCI,2"][: 1 if "flt" in name else 2]
        for member in members:
            wcs = member.wcs.wcs
            assert wcs.sip is not None
            assert {t for t in (*NPOL, *D2IM) if getattr(wcs, t) is not None} == tables
            assert member.nominal_scale == pytest.approx(scale, rel=1e-4)
            assert member.quality.shape == member.shape
            assert read_pixels(member.pixels).shape == member.shape

    @pytest.mark.parametrize(
        ("key", "name"),
        [
            (None, "primary: IDC_2731450pi-FIT_SVM_GAIAeDR3"),
            ("A", "A: IDC_2731450pi"),
            ("B", "B: IDC_2731450pi-HSC30"),
            ("C", "C: IDC_2731450pi-FIT_REL_GAIAeDR3"),
            ("O", "O: OPUS"),
        ],
    )
    def test_alternates_are_those_of_stwcs(self, svm_file, key, name):
        """The active WCS is one of headerlets; the alternates differ by up to an arcsecond."""
        s = SkyMatchSession(svm_file, wcs_key=key, verbose=False)
        assert s.members.wcs.tolist() == [name] * 2
        assert s.members.distortion.tolist() == ["SIP, NPOL, D2IM"] * 2
        x, y = np.array([0.0, 4.0, 9.0]), np.array([9.0, 2.0, 5.0])
        loaded = s.fresh_result("load")
        with fits.open(svm_file) as hdus:
            for member, extension in zip(loaded.members, (1, 4), strict=True):
                expected = HSTWCS(hdus, ext=extension, wcskey=key or " ").all_pix2world(x, y, 0)
                np.testing.assert_allclose(member.wcs.to_sky(x, y), expected, rtol=0, atol=1e-11)
                active = HSTWCS(hdus, ext=extension).all_pix2world(x, y, 0)
                moved = np.abs(np.subtract(expected, active)).max() * 3600
                assert moved == 0 if key is None else 0.001 < moved < 5

    def test_a_missing_alternate(self, svm_file):
        expected = r"sample_svm_flc.fits.gz\[SCI,1\]: no WCS with the key 'D' \(it has the primary one, A, B, C, O\)"
        with pytest.raises(InputError, match=expected):
            SkyMatchSession(svm_file, wcs_key="D", verbose=False).load()

    @pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")  # from stwcs
    def test_a_headerlet_made_the_primary_wcs(self, svm_file, tmp_path, monkeypatch):
        """By stwcs, from those in the file: linear part, SIP and lookup tables take the place of the active ones."""
        monkeypatch.chdir(tmp_path)  # stwcs writes a log
        path = tmp_path / "x_flc.fits"
        path.write_bytes(gzip.decompress(svm_file.read_bytes()))
        name = "ib4606c6q_flc_IDC_2731450pi-FIT_REL_GAIADR2-hlet.fits"
        headerlet.restore_from_headerlet(str(path), hdrname=name, archive=False, force=True)
        s = SkyMatchSession([path, svm_file], verbose=False)
        assert s.members.wcs.iloc[0] == "primary: IDC_2731450pi-FIT_REL_GAIADR2"
        assert s.members.distortion.iloc[0] == "SIP, NPOL, D2IM"
        x, y = np.array([0.0, 4.0, 9.0]), np.array([9.0, 2.0, 5.0])
        members = s.fresh_result("load").members
        with fits.open(path) as hdus:
            expected = HSTWCS(hdus, ext=1).all_pix2world(x, y, 0)
        found, active = (members[k].wcs.to_sky(x, y) for k in (0, 2))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)
        assert np.abs(np.subtract(found, active)).max() * 3600 > 0.001

    def test_both_chips_of_one_exposure_overlap_both_of_another(self, realdata, members_of):
        """Their real size is 4096 by 2048 pixels; by what stwcs places inside, pixel by pixel in steps of 16."""
        files = [realdata / "hst_acs_wfc" / f"2chip{letter}.fits.gz" for letter in "AB"]
        if not all(path.exists() for path in files):
            pytest.skip("SKYMATCH_REALDATA has no 2chipA and 2chipB")
        chips = [m.wcs for path in files for m in members_of(path)]
        outlines = [trace_outline(wcs, SHAPE) for wcs in chips]
        centers, radii = np.array([o.center for o in outlines]), np.array([o.radius for o in outlines])
        kept, _, areas, failed = clip_pairs(outlines, candidate_pairs(centers, radii, np.array([0, 0, 1, 1])))
        assert not failed
        assert kept.tolist() == [[0, 2], [0, 3], [1, 2], [1, 3]]
        y, x = (v.ravel() for v in np.mgrid[7.5:NY:16, 7.5:NX:16])
        for (a, b), area in zip(kept, areas, strict=True):
            u, v = chips[b].to_pixels(*chips[a].to_sky(x, y))
            inside = np.mean((u > -0.5) & (u < NX - 0.5) & (v > -0.5) & (v < NY - 0.5))
            assert area / outlines[a].area == pytest.approx(inside, abs=0.03)  # pixels differ in size
            assert 0.3 < inside < 0.6

    @pytest.mark.parametrize("tables", WITHOUT.values(), ids=WITHOUT)
    def test_to_pixels_inverts_to_sky(self, enlarged, tables):
        member = enlarged.member(tables)
        rng = np.random.default_rng(1)
        x, y = rng.uniform(0, NX - 1, 500), rng.uniform(0, NY - 1, 500)
        back = member.wcs.to_pixels(*member.wcs.to_sky(x, y))
        np.testing.assert_allclose(back, [x, y], atol=1e-3)


class TestOutlines:
    @pytest.mark.parametrize("tables", [NPOL, D2IM], ids=["NPOL", "D2IM"])
    def test_dropping_a_table_moves_vertices_as_stwcs_says(self, chip, tables):
        """In pixels of the undistorted plane; the tables are as delivered, and the agreement is a millionth."""
        full, less = chip.member(), chip.member(tables)
        vertices, moved = trace_outline(full.wcs, SHAPE), trace_outline(less.wcs, SHAPE)
        at = {(x, y): v for x, y, v in zip(vertices.x, vertices.y, vertices.vectors, strict=True)}
        common = [(x, y) for x, y in zip(moved.x, moved.y, strict=True) if (x, y) in at]
        new = {(x, y): v for x, y, v in zip(moved.x, moved.y, moved.vectors, strict=True)}
        assert len(common) >= 64
        stwcs_full, stwcs_less = chip.hstwcs(), chip.hstwcs(tables)
        planes = [
            stwcs_full.wcs_world2pix(np.column_stack(to_radec(np.array([v[p] for p in common]))), 0) for v in (at, new)
        ]
        x, y = np.transpose(common)
        expected = np.subtract(stwcs_full.pix2foc(x, y, 0), stwcs_less.pix2foc(x, y, 0)).T
        np.testing.assert_allclose(planes[0] - planes[1], expected, atol=1e-6)
        assert np.abs(expected).max() > (0.1 if tables == NPOL else 0.002)

    def test_npol_moves_the_corners_by_what_its_tables_hold(self, chip):
        """Read by hand: the corner pixels lie on, or next to, the first and last nodes of the tables."""
        outlines = [trace_outline(chip.member(tables).wcs, SHAPE) for tables in ((), NPOL)]
        wcs = chip.hstwcs()
        first = [wcs.wcs_world2pix(np.column_stack(to_radec(o.vectors[:1])), 0)[0] for o in outlines]
        moved = first[0] - first[1]
        np.testing.assert_allclose(moved, [chip.table("WCSDVARR", k)[0, 0] for k in (3, 4)], atol=5e-3)
        assert np.hypot(*moved) > 0.2


def edge_on_plane(wcs, plane):
    """Edge of an exposure on a tangent plane, from thousands of points of stwcs."""
    t = np.linspace(0, 1, 3000)[:-1]
    zero, one = np.zeros_like(t), np.ones_like(t)
    x = np.concatenate([t, one, 1 - t, zero]) * NX - 0.5
    y = np.concatenate([zero, t, one, 1 - t]) * NY - 0.5
    return shapely.Polygon(np.column_stack(plane.wcs_world2pix(*wcs.all_pix2world(x, y, 0), 0)))


class TestOverlaps:
    def test_dropping_npol_changes_the_area_as_stwcs_says(self, enlarged):
        plane = WCS(naxis=2)
        plane.wcs.ctype, plane.wcs.crval = ("RA---TAN", "DEC--TAN"), enlarged.second
        plane.wcs.crpix, plane.wcs.cdelt = (1, 1), (0.05 / 3600, 0.05 / 3600)
        areas, expected = {}, {}
        for name, tables in WITHOUT.items():
            _, _, area = enlarged.overlap(tables)
            edges = [edge_on_plane(enlarged.hstwcs(tables, second), plane) for second in (False, True)]
            areas[name] = area / np.radians(0.05 / 3600) ** 2
            expected[name] = shapely.intersection(*edges).area
            assert areas[name] == pytest.approx(expected[name], abs=0.05 * NY)
        change = expected["no NPOL"] - expected["all tables"]
        assert abs(change) > NY
        assert areas["no NPOL"] - areas["all tables"] == pytest.approx(change, abs=0.05 * NY)

    @pytest.mark.parametrize("tables", WITHOUT.values(), ids=WITHOUT)
    def test_its_corner_is_where_stwcs_puts_it(self, enlarged, tables):
        """The lower left corner of the second exposure, in pixels of the first."""
        (member, _), polygon, _ = enlarged.overlap(tables)
        x, y = member.wcs.to_pixels(*to_radec(polygon.vectors))
        sky = enlarged.hstwcs(tables, second=True).all_pix2world([-0.5], [-0.5], 0)
        corner = np.ravel(enlarged.hstwcs(tables).all_world2pix(*sky, 0, tolerance=1e-6))
        without_distortion = np.ravel(enlarged.hstwcs((*NPOL, *D2IM)).all_world2pix(*sky, 0, tolerance=1e-6))
        assert np.hypot(*(corner - without_distortion)) > 0.1
        assert np.hypot(x - corner[0], y - corner[1]).min() < 0.05


class TestSamples:
    @pytest.mark.parametrize("tables", WITHOUT.values(), ids=WITHOUT)
    def test_pixels_of_the_overlap_are_those_of_stwcs(self, enlarged, tables):
        """Every pixel but those within 0.05 pixel of the edge; each pixel's value tells which it is."""
        members, polygon, area = enlarged.overlap(tables)
        loaded = Loaded("", members, ("first", "second"), np.array([0, 1]), ("first", "second"))
        overlaps = Overlaps("", np.array([0]), np.array([1]), (polygon,), np.array([area]))
        params = SkyMatchParams()
        masks = mask("", loaded, {}, {}, params)
        samples = sample_overlaps("", loaded, masks, overlaps, params, Work())
        found = set(samples.sets[0].sample(samples.at_a[0]).astype(np.int64))
        shared, uncertain = enlarged.shared_pixels(tables)
        flagged = {row * NX + NX - 5 for row in range(0, NY, 7)}
        assert shared & flagged
        assert not found & flagged
        assert (found ^ (shared - flagged)) <= uncertain
        assert len(uncertain) < 0.01 * len(shared)

    @pytest.mark.parametrize("tables", [NPOL, D2IM], ids=["NPOL", "D2IM"])
    def test_dropping_a_table_changes_the_pixels_as_stwcs_says(self, enlarged, tables):
        found, shared, uncertain = [], [], set()
        for taken_off in ((), tables):
            (member, _), polygon, _ = enlarged.overlap(taken_off)
            (spans,) = polygons_to_spans(member, [polygon])
            assert count_pixels(spans) > 0
            found.append({row * NX + x for row, start, stop in spans.tolist() for x in range(start, stop)})
            inside, near = enlarged.shared_pixels(taken_off)
            shared.append(inside)
            uncertain |= near
        changed, expected = found[0] ^ found[1], shared[0] ^ shared[1]
        assert changed ^ expected <= uncertain
        assert len(expected - uncertain) > 100
