# %% [markdown]
# # Step by step
#
# A session goes from files to levels in steps: load, mask, footprints, overlaps, samples, solve. Each returns a table.
# This tutorial stops at each of them and reads it.
#
# **You will learn**
#
# * what every step does and what its table tells;
# * that steps are run when they are needed, and never twice for nothing;
# * to change parameters and compare answers.
#
# You should have seen the [quickstart](01_quickstart.ipynb).

# %%
from bokeh.io import output_notebook, show
from bokeh.resources import INLINE

from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import make_mosaic

output_notebook(INLINE, hide_banner=True)
mosaic = make_mosaic("exposures_02", shape=(384, 768), seed=7, persistence=0.03, overwrite=True)
s = SkyMatchSession("exposures_02/*_flt.fits", skymethod="match", skystat="median", verbose=False)

# %% [markdown]
# ## Load: what is there
#
# A *member* is one chip image: a file and an extension. Members of one *group* share one sky; by default a group is a file.

# %%
members = s.load()
members[["group", "instrument", "ny", "nx", "data_type", "exptime", "pixel_scale", "factor"]]

# %% [markdown]
# Three columns deserve a look before anything else. `data_type` says whether the pixels are counts, a rate or a surface
# brightness; a wrong guess here would scale everything. `pixel_scale` and `factor` turn a level in data units into
# surface brightness, `sky = factor * sky_data`, in which members of different pixel scale and exposure time can be compared. Units of
# columns stand in the table's `attrs`:

# %%
members.attrs["units"]["factor"], members.attrs["units"]["pixel_scale"]

# %% [markdown]
# ## Mask: which pixels count
#
# A pixel is *good* when it is finite, no bad data quality flag is set, and your own masks and regions say so. A pixel
# can be bad for several reasons at once, so the columns do not add up.

# %%
s.mask()[["pixels", "good_fraction", "bad_dq", "bad_user", "bad_region", "bad_value"]]

# %% [markdown]
# `good_fraction` should be near 1. Half of it missing usually means that flags are taken for bad that are harmless:
# [Masks](03_masks.ipynb) shows how to say which.
#
# ## Footprints: where they are
#
# Outlines follow the distortion of the detector within a twentieth of a pixel, on the sphere. `overlaps` counts members of other groups
# that a member overlaps; 0 means that nothing can be said of it.

# %%
s.compute_footprints()

# %% [markdown]
# The map shows the members on the tangent plane, north up and east to the left, and shades overlaps. Hover tells more.

# %%
show(s.plot_footprints())

# %% [markdown]
# ## Overlaps: what the comparison is made of
#
# One row per pair of members that overlap. Both sides have a level from their own good pixels (`sky_a`, `sky_b`, in surface
# brightness), the difference is what matching has to explain, and the status tells why an overlap does not count.

# %%
s.overlaps[
    ["member_a", "member_b", "npix_a", "npix_b", "sky_a", "sky_b", "difference", "difference_err", "status"]
].head(8)

# %% [markdown]
# Where a difference looks odd, look at its pixels. The histogram shows both sides, the statistic, and how clipping
# closed in on them.

# %%
show(s.plot_samples(0))

# %% [markdown]
# ## Solve: levels
#
# Every overlap says by how much one group is brighter than another. With more overlaps than groups they contradict each other
# a little; least squares finds the levels that satisfy them best.

# %%
s.solve()[["group", "component", "status", "sky", "sky_err", "sky_data", "sky_data_err"]]

# %%
show(s.plot_sky())

# %% [markdown]
# * `component` numbers sets of groups that are connected through overlaps. Two components have no common zero point, and a
#   warning says so.
# * `status` is `matched`, or `reference` for the one that was put at 0; `no overlap` and `no good pixels` are groups that
#   got no level.
# * `sky_err` is the noise of the pixels carried through the equations.
#
# ## Residuals: do they agree now?
#
# One row per pair of groups. `pull` is what is left in standard errors: about 1 where only noise is left, more where both
# sides see different things.

# %%
s.residuals.sort_values("pull", key=abs, ascending=False).head()

# %% [markdown]
# ## Nothing is done twice
#
# A changed parameter computes nothing. It makes the steps that read it stale, and all that follow; the next request makes
# those anew, and only those.

# %%
s.configure(nclip=3, lsigma=3.0, usigma=3.0)
s.status().query("state != 'not needed'")

# %% [markdown]
# Clipping is read when samples are measured, after pixels were read and sorted. So the next line reads no file:

# %%
s.sky["sky_data"].round(5).to_frame()

# %% [markdown]
# ## Answers side by side
#
# `sweep` solves with every combination of parameters from the same samples, and leaves the session as it is.

# %%
s.sweep(skystat=["median", "mean", "mode"], nclip=[0, 3, 5])["fit"]

# %% [markdown]
# Here `rms_after` is the surface brightness by which pairs still disagree. Without clipping, cosmic rays that nobody flagged
# pull the mean away.
#
# ## Troubleshooting
#
# * **A column is `NaN`**: the status in the same row gives the reason. A level that could not be measured is never 0.
# * **`data_type` is `unknown` or there is a warning about units**: the header has no BUNIT. Say which keyword has it, `units_kwd`, or see
#   [Units](../docs/inputs.md#units).
# * **`good_fraction` is small**: see [Masks](03_masks.ipynb).
# * **Everything is `stale` after `load()`**: a file changed on disk, or a mask did.
#
# ## About this notebook
#
# Runs without a network in a few seconds (and compiles for some ten seconds, once), and writes `exposures_02/` (36 MB). Every column is explained in
# [Tables](../docs/tables.md), every formula in [Method](../docs/method.md).
