"""Files that are not on a file system: astropy opens them; their addresses as text are errors."""

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest
from astropy.io import fits

from skymatch_nb import InputError, SkyMatchSession


@pytest.fixture
def served(mosaic):
    """Address of a server of the mosaic's folder."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(mosaic.paths[0].parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def levels(inputs):
    return SkyMatchSession(inputs, skymethod="match", verbose=False).sky["sky"]


def test_over_http_by_astropy(mosaic, served):
    remote = [fits.open(f"{served}/{path.name}", cache=False) for path in mosaic.paths]
    pd.testing.assert_series_equal(levels(remote), levels(mosaic.paths), check_exact=True, check_index=False)


def test_by_fsspec(mosaic):
    fsspec = pytest.importorskip("fsspec")
    for path in mosaic.paths:
        fsspec.filesystem("memory").pipe(f"/{path.name}", path.read_bytes())
    remote = [fits.open(f"memory://{path.name}", use_fsspec=True) for path in mosaic.paths]
    pd.testing.assert_series_equal(levels(remote), levels(mosaic.paths), check_exact=True, check_index=False)


def test_the_address_of_a_local_file(mosaic):
    assert levels([path.as_uri() for path in mosaic.paths]).equals(levels(mosaic.paths))


@pytest.mark.parametrize("name", ["s3://bucket/a.fits", "http://127.0.0.1/a.fits", "gs://b/*.fits[sci,1]"])
def test_addresses_are_one_error(name):
    with pytest.raises(InputError, match=r"not on a file system: fetch it first, or give the HDU list"):
        SkyMatchSession(name)
    with pytest.raises(InputError, match="not on a file system"):
        SkyMatchSession([Path("s3://bucket/a.fits")])
