"""What tests of figures share: a solved session, and one with groups that cannot be matched."""

import warnings

import pytest

from skymatch_nb import SkyMatchSession, SkyMatchWarning


@pytest.fixture(scope="module")
def session(mosaic):
    s = SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=False)
    s.solve()
    return s


@pytest.fixture
def lonely(write_image):
    """Two exposures that overlap, one far away, one without a good pixel."""
    paths = [write_image("a.fits", level=5.0), write_image("b.fits", ra=10.002, level=7.0, seed=1)]
    paths += [write_image("far.fits", ra=10.2, level=3.0)]
    paths += [write_image("masked.fits", ra=10.001, level=4.0)]
    s = SkyMatchSession(
        paths, skymethod="match", skystat="median", masks={"masked.fits": lambda pixels: pixels > 1e9}, verbose=False
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkyMatchWarning)
        s.solve()
    return s


def glyphs(plot, name):
    """Renderer of a figure by its name."""
    return next(r for r in plot.renderers if r.name == name)


def texts(plot):
    """All titles and captions of a figure."""
    from bokeh.models import Title

    return [plot.title.text, *(t.text for t in (*plot.above, *plot.below) if isinstance(t, Title) and t.text)]
