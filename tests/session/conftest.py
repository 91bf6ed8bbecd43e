"""A session that tests of its parts share."""

import pytest

from skymatch_nb import SkyMatchSession


@pytest.fixture
def session(mosaic):
    return SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False)
