"""Candidate pairs, against all pairs, and the caps that tell of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sky_images import SIDE, at_places, tan_outline

from skymatch_nb.geometry import candidates
from skymatch_nb.geometry.candidates import bounding_caps, candidate_pairs
from skymatch_nb.geometry.outlines import outline_polygon
from skymatch_nb.geometry.sphere import to_vectors


class TestCandidatePairs:
    @settings(max_examples=150, deadline=None)
    @given(
        seed=st.integers(0, 2**32 - 1),
        count=st.integers(1, 60),
        few=st.sampled_from([0, 64]),
        spread=st.floats(-4, 1),
        sizes=st.tuples(st.floats(-7, 0.1), st.floats(0, 5)),
        groups=st.integers(1, 60),
    )
    def test_equals_brute_force_over_all_pairs(self, seed, count, few, spread, sizes, groups):
        """Caps of radii over many orders of magnitude, in clusters or over the whole sky; no pair is missed.

        That holds of few members, and of many, whose pairs trees find.
        """
        rng = np.random.default_rng(seed)
        centers = rng.normal(size=3) + 10.0**spread * rng.normal(size=(count, 3))
        centers /= np.linalg.norm(centers, axis=1, keepdims=True)
        radii = np.minimum(10.0 ** (sizes[0] + sizes[1] * rng.uniform(-1, 0, count)), 1.4)
        group_of = rng.integers(0, groups, count)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(candidates, "_FEW", few)
            found = {tuple(pair) for pair in candidate_pairs(centers, radii, group_of)}
        for a in range(count):
            for b in range(a + 1, count):
                cross = np.linalg.norm(np.cross(centers[a], centers[b]))
                gap = np.arctan2(cross, centers[a] @ centers[b]) - radii[a] - radii[b]
                if abs(gap) > 1e-14 + 1e-7 * (radii[a] + radii[b]):  # beyond rounding
                    assert ((a, b) in found) == (gap < 0 and group_of[a] != group_of[b])

    def test_pairs_are_sorted_and_unique(self):
        rng = np.random.default_rng(3)
        centers = to_vectors(rng.uniform(0, 1, 50), rng.uniform(0, 1, 50))
        pairs = candidate_pairs(centers, 10 ** rng.uniform(-4, -1, 50), np.arange(50))
        assert pairs.shape[1] == 2
        assert len(pairs) > 100
        assert (pairs[:, 0] < pairs[:, 1]).all()
        assert [tuple(p) for p in pairs] == sorted({tuple(p) for p in pairs})

    @pytest.mark.parametrize("few", [0, 64])
    def test_one_member_has_no_pair(self, few, monkeypatch):
        monkeypatch.setattr(candidates, "_FEW", few)
        assert candidate_pairs(np.array([[0.0, 0.0, 1.0]]), np.array([0.1]), np.array([0])).shape == (0, 2)


class TestBoundingCaps:
    @at_places
    def test_caps_hold_their_polygons(self, place):
        (centre,), (radius,) = bounding_caps([outline_polygon(tan_outline(place))])
        assert radius == pytest.approx(np.radians(SIDE) / np.sqrt(2), rel=1e-3)
        assert centre == pytest.approx(to_vectors(*np.array(place)[:, None])[0], abs=1e-7)
        assert [len(part) for part in bounding_caps([])] == [0, 0]
