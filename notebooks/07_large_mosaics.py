# %% [markdown]
# # Large mosaics
#
# A hundred exposures are matched as six are: the same calls, and not much more time for each. This tutorial tells where time and memory go,
# and which of it you can change.
#
# **You will learn**
#
# * how cost grows with exposures, and what is kept between runs;
# * to use threads or a Dask cluster, and to see that they do not change the answer;
# * how much memory samples take, and where they are kept;
# * to find the bad exposures among many.

# %%
import time

import numpy as np
import pandas as pd
from bokeh.io import output_notebook, show
from bokeh.resources import INLINE

from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import make_mosaic

output_notebook(INLINE, hide_banner=True)
mosaic = make_mosaic(
    "exposures_07", rows=7, cols=7, shape=(96, 192), chips=2, overlap=0.25, seed=1, stars=10, overwrite=True
)
files = "exposures_07/*_flt.fits"
s = SkyMatchSession(files, skymethod="match", skystat="median", verbose=False)
len(mosaic.paths), "exposures_07", len(s.members), "members"

# %% [markdown]
# ## Where time goes
#
# `status` has the seconds of every step. The first time, kernels are compiled (some ten seconds, once on a machine); so we solve twice, in two
# sessions, and look at the second.

# %%
s.solve()
s = SkyMatchSession(files, skymethod="match", skystat="median", verbose=False)
began = time.perf_counter()
s.solve()
print(f"{len(mosaic.paths)} exposures in {time.perf_counter() - began:.2f} s")
s.status().query("seconds > 0.001")[["what", "seconds"]].round(3)

# %% [markdown]
# Headers and pixels are read once. Overlaps are looked for only between neighbours, so that a mosaic of four times as many
# exposures takes four times as long, not sixteen times. `match` reads no pixel outside of overlaps.
#
# ## Change your mind
#
# Samples of pixels are sorted when they are read. Other clipping, limits or statistics are answered from them:

# %%
began = time.perf_counter()
table = s.sweep(skystat=["median", "mean", "mode"], nclip=[0, 3, 5, 10])["fit"]
print(f"{len(table)} solutions in {time.perf_counter() - began:.2f} s")
table[["pairs", "rms_after", "rms_pull"]].head(6)

# %% [markdown]
# ## Threads
#
# `workers` is the number of threads that read and measure pixels; by default one per core, at most 4. The answer does not
# depend on it, to the last bit.

# %%
answers = {}
for workers in (1, 2):
    one = SkyMatchSession(files, skymethod="match", skystat="median", verbose=False, workers=workers)
    began = time.perf_counter()
    answers[workers] = one.solve()["sky"]
    print(f"{workers} thread(s): {time.perf_counter() - began:.2f} s")
bool((answers[1] == answers[2]).all())

# %% [markdown]
# Chips as small as these gain little: headers are most of the work. Threads pay with chips of millions of pixels, as long as
# the disk delivers, and share their memory: two do not take twice as much.
#
# ## A cluster
#
# `executor="dask"` has members and overlaps worked on by other processes, here or on other machines (extra `dask`:
# `python -m pip install ".[dask]"` in the clone). A `Client` says where; without one, the session starts processes on this machine.

# %%
from dask.distributed import Client, LocalCluster

local = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
cluster = LocalCluster(**local, silence_logs="ERROR")
client = Client(cluster)
far = SkyMatchSession(files, skymethod="match", skystat="median", verbose=False, executor=client)
far.solve()
bool((far.sky["sky"] == answers[1]).all())

# %% [markdown]
# The same to the last bit: workers run the same code on the same files. Tasks carry paths and polygons, not pixels, so
# that all workers must see the files under the same paths. Sorted pixels of overlaps come back, and other statistics are
# answered without the cluster, which may go:

# %%
client.close()
cluster.close()
far.configure(skystat="mean").solve()["sky"].describe().round(4)

# %% [markdown]
# [A cluster](../docs/howto/cluster.md) tells more, and [Scaling](../docs/scaling.md) what 100,000 exposures cost.
#
# ## Memory
#
# Files are mapped into memory, not read whole. What is kept are the good pixels of overlaps, sorted: about as much as these pixels
# take in the files. The overlaps table has their number:

# %%
overlaps = s.overlaps
kept = int(overlaps[["npix_a", "npix_b"]].sum().sum())
print(f"{kept / 1e6:.1f} million pixels in {len(overlaps)} overlaps: {4 * kept / 1e6:.0f} MB as 32-bit floats")

# %% [markdown]
# For a hundred exposures of Hubble's WFC that is some gigabytes. With `optimize="balanced"`, the default, samples beyond 512 MiB are kept
# in temporary files and mapped when they are needed; `optimize="speed"` keeps all of them in memory.
#
# To need less: fewer pixels. `min_overlap_pixels` leaves slivers out; they say little, and there are many of them.

# %%
s.configure(min_overlap_pixels=3000)
s.solve()
s.overlaps["status"].value_counts()

# %% [markdown]
# ## The one bad exposure in 49
#
# Something is always wrong somewhere. Let us spoil one exposure: a gradient of scattered light across one chip.

# %%
from astropy.io import fits

bad = mosaic.paths[24]
with fits.open(bad, mode="update") as hdus:
    ny, nx = hdus["SCI", 1].data.shape
    hdus["SCI", 1].data += np.linspace(0, 0.1, nx, dtype=np.float32)

s.load()  # files have changed
s.configure(min_overlap_pixels=0, overlap_stat="difference")
s.solve()
s.residuals.sort_values("pull", key=abs, ascending=False).head(6)[["before", "after", "pull"]]

# %% [markdown]
# The warning names the worst pair. Most of the worst pairs have one exposure in common; the others are pairs of its neighbours, since least squares spreads the
# harm. On the graph they stand out:

# %%
show(s.plot_graph())

# %% [markdown]
# Robust weights keep most of the harm where it is, and `leave_out` takes the exposure out altogether:

# %%
planted = pd.Series(mosaic.sky)


def error(**params):
    """Rms error of the levels of all other exposures."""
    s.configure(**params)
    found = s.sky.groupby("group")["sky_data"].first().drop(bad.name).dropna()
    return float((found - planted[found.index]).std(ddof=0))


pd.Series(
    {
        "least squares": error(),
        "robust='huber'": error(robust="huber"),
        "leave_out": error(robust=None, leave_out=bad.name),
    },
    name="error, electrons per second",
).round(6).to_frame()

# %% [markdown]
# ## Large figures and reports
#
# Maps of hundreds of members stay usable: pan, zoom, hover. The report shows the worst 300 rows of a table, and says so. `plot_preview`
# reads every good pixel once.

# %%
show(s.plot_footprints("status"))

# %% [markdown]
# ## Troubleshooting
#
# * **It gets slower and slower**: memory is full and the system swaps. Set `workers=1`, keep `optimize="balanced"`, see that the folder
#   for temporary files (`TMPDIR`) has room.
# * **The first run is slow**: kernels are compiled, some ten seconds, once for each version, and kept where `NUMBA_CACHE_DIR` says, or beside the
#   package.
# * **Compressed files are slow**: gzip cannot be mapped; unpack them once.
# * **Several components**: parts of the mosaic that nothing connects; `s.sky["component"]` numbers them.
#
# ## About this notebook
#
# Runs without a network in half a minute (and compiles for some ten seconds, once); needs the extra `dask`; writes `exposures_07/` (20 MB).
# Measured times of larger mosaics: [Performance](../docs/performance.md).
