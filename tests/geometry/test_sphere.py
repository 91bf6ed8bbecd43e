"""Positions as unit vectors, against astropy."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from skymatch_nb.geometry.sphere import to_radec, to_vectors


class TestConversions:
    @settings(max_examples=50, deadline=None)
    @given(ra=st.floats(0, 359.999), dec=st.floats(-89.9, 89.9))
    def test_vectors_and_positions_are_inverse(self, ra, dec):
        vectors = to_vectors(np.array([ra]), np.array([dec]))
        sky = SkyCoord(ra * u.deg, dec * u.deg).cartesian.xyz.value
        np.testing.assert_allclose(vectors[0], sky, atol=1e-14)
        back_ra, back_dec = to_radec(vectors)
        assert (back_ra[0] - ra + 180) % 360 - 180 == pytest.approx(0, abs=1e-9)
        assert back_dec[0] == pytest.approx(dec, abs=1e-9)
