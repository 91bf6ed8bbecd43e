# %% [markdown]
# # Masks: which pixels are sky?
#
# A sky level is only as good as the pixels it comes from. This tutorial keeps out what is not sky: detector flaws, cosmic rays,
# afterglow, stars, a nebula, and whatever you know better than any pipeline.
#
# **You will learn**
#
# * to choose data quality flags by number and by name;
# * to give masks of your own;
# * to exclude regions of the sky, and sources that are detected;
# * to see what a mask did, and when masks do harm.

# %%
import numpy as np
import pandas as pd
from astropy.io import fits
from bokeh.io import output_notebook, show
from bokeh.resources import INLINE

from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import make_mosaic

output_notebook(INLINE, hide_banner=True)
mosaic = make_mosaic(
    "exposures_03", cols=2, shape=(384, 768), chips=1, overlap=0.3, seed=5, persistence=0.08, stars=120, overwrite=True
)
s = SkyMatchSession("exposures_03/*_flt.fits", skymethod="match", skystat="median", verbose=False)

# %% [markdown]
# ## What is in an image
#
# Four exposures of one chip. Their DQ arrays flag bad columns (4), hot pixels (16), persistence, the afterglow of bright stars of earlier
# exposures, as blobs (32), and cosmic rays (4096), of which half were not found. On the left the pixels, on the right the flags.

# %%
from bokeh.layouts import row
from bokeh.models import ColorBar, LinearColorMapper
from bokeh.plotting import figure


def picture(image, title, low, high, palette="Greys256"):
    """Draw an image with a scale of grey."""
    ny, nx = image.shape
    plot = figure(
        width=460, height=270, title=title, x_range=(0, nx), y_range=(0, ny), match_aspect=True, toolbar_location=None
    )
    mapper = LinearColorMapper(palette=palette, low=low, high=high)
    plot.image([image.astype(np.float32)], x=0, y=0, dw=nx, dh=ny, color_mapper=mapper)
    plot.add_layout(ColorBar(color_mapper=mapper, width=8), "right")
    return plot


with fits.open(mosaic.paths[0]) as hdus:
    pixels, flags = hdus["SCI", 1].data.copy(), hdus["DQ", 1].data.copy()
middle = np.median(pixels)
show(
    row(picture(pixels, "SCI, electrons per second", middle - 0.1, middle + 0.4), picture(flags > 0, "any flag", 0, 1))
)

# %%
{bit: f"{np.mean(flags & bit > 0):.2%}" for bit in (4, 16, 32, 4096)}

# %% [markdown]
# ## Data quality flags
#
# `dq_bits` names the flags that are *good*, as in AstroDrizzle. With 0 every flagged pixel is bad; this is what you get if
# you do not say otherwise (JWST and Roman, whose flags mean something else, have [a default of their own](../docs/flags.md)).

# %%
s.mask()[["pixels", "good_fraction", "bad_dq", "dq_good"]]

# %% [markdown]
# Suppose that hot pixels were subtracted well, and may count. Flags can be added up, listed, or excluded from all:
#
# | you write | good are |
# |---|---|
# | `0` | none: every flagged pixel is bad |
# | `16` or `"16"` | hot pixels |
# | `"4,16"`, `"4+16"` or `20` | bad columns and hot pixels |
# | `"~32+4096"` | all but persistence and cosmic rays |
# | `None` | all: DQ is ignored |
#
# For Hubble's cameras, JWST and Roman names work too: `"HOT+WARM"`, `"~DO_NOT_USE"`.

# Which choice is right? We know the planted skies, so let us ask them. The table has the error of the levels (rms, mean
# removed, electrons per second) for two ways to compare overlaps: the medians of both sides (`region`, the default), or the median of
# the differences of pixels at the same place (`difference`).

# %%
planted = pd.Series(mosaic.sky)
errors = {}
for bits in (0, 16, "~32+4096", None):
    for kind in ("region", "difference"):
        s.configure(dq_bits=bits, overlap_stat=kind)
        found = s.sky.groupby("group")["sky_data"].first()
        errors[str(bits), kind] = float((found - planted[found.index]).std(ddof=0))

s.configure(dq_bits=0)
pd.Series(errors).unstack(sort=False).rename_axis("dq_bits").round(5)

# %% [markdown]
# Read the right column first. With flags respected levels are right to 0.0001; whether hot pixels count makes no difference, as they
# are few. With DQ ignored the afterglow gets in, and the error is twenty times as large.
#
# The left column is worse, whatever the flags, and this is the one thing to remember of masks: blobs mask *other* parts of the
# galaxy on the two sides of an overlap, so that both sides see other stars. Masks at different places on structured sky
# harm a comparison of regions. A comparison of pixels does not care. The package noticed, too: the warnings say that pairs disagree by
# far more than their errors, and what to try. From here on we compare pixels.
#
# A pixel that is not a number is never good, whatever the flags say.
#
# ## Masks of your own
#
# `masks` takes arrays (or files, or functions of the pixels) by member name, or by file name where the file has one
# image. Non-zero is good, as in the reference; numpy users may read it as a boolean array, True for good. Here a satellite crossed the first exposure, and
# we mask its trail.

# %%
first = mosaic.paths[0].name
y, x = np.indices(pixels.shape)
trail = np.abs(y - 0.35 * x - 60) < 6
with fits.open(mosaic.paths[0], mode="update") as hdus:
    hdus["SCI", 1].data[trail] += 3.0
s.load()  # a file has changed; the session wants to be told

masked = SkyMatchSession(
    "exposures_03/*_flt.fits", skymethod="match", skystat="median", verbose=False, masks={first: ~trail}
)
masked.mask()[["good_fraction", "bad_dq", "bad_user"]]

# %% [markdown]
# ## Regions of the sky
#
# What lies on the sky is better masked on the sky: one region serves all exposures, whatever their orientation and
# distortion. Regions are DS9 files or text, vertices, or objects of the package `regions`. The galaxy of this field is at RA
# 150.1, Dec 2.2:

# %%
s.exclude('icrs; ellipse(150.1, 2.2, 9", 5", 35)')
s.mask()[["good_fraction", "bad_region"]]

# %%
show(s.plot_preview(size=300))

# %% [markdown]
# In the preview excluded pixels are left blank. `include` does the opposite: only what is inside counts. `clear_regions` forgets
# them. In the [panel](06_panel.ipynb) you draw regions with the mouse. Vertices need no further package, all else needs
# `python -m pip install ".[regions]"` in the clone.

# %%
s.clear_regions()
s.exclude(np.array([[150.098, 2.198], [150.102, 2.198], [150.102, 2.202], [150.098, 2.202]]))
s.mask()["bad_region"].tolist()

# %% [markdown]
# ## Sources
#
# Clipping takes care of a few stars. In a crowded field, and for `localmin`, which needs the sky itself and no difference,
# detected sources can be masked: connected pixels above so many sigma of the local background, grown a little.

# %%
s.clear_regions()
s.configure(mask_sources=3)
s.mask()[["good_fraction", "bad_dq", "bad_source"]]

# %% [markdown]
# ## What did it do to the answer?
#
# `compare` puts two solutions side by side; `about_mean` is what differs beyond a common shift.

# %%
plain = SkyMatchSession(
    "exposures_03/*_flt.fits", skymethod="match", skystat="median", overlap_stat="difference", verbose=False
)
plain.compare(s)[["group", "sky", "sky_other", "about_mean", "err"]]

# %% [markdown]
# ## What is left
#
# Compared pixel by pixel, with the flags respected, overlaps agree within their noise; pulls are about 1:

# %%
s.configure(mask_sources=None)
s.residuals[["before", "after", "pull"]]

# %% [markdown]
# ## Troubleshooting
#
# * **`good_fraction` is 0**: a flag that is set everywhere counts as bad. `np.bincount(flags.ravel())` or `s.mask()["dq_good"]` help to
#   find which.
# * **All is masked by my mask**: non-zero is *good*. `CCDData.mask` and masked arrays have it the other way round, and are read in
#   their own sense.
# * **`its user mask has shape ...`**, and the image another: the shape is `(ny, nx)`, as numpy and astropy have it.
# * **A region does nothing**: a warning says that it touches no member; check the frame (`fk5`, `icrs`, `galactic`) and degrees.
# * **`regions` or `photutils` is missing**: `python -m pip install ".[regions,sources]"` in the clone.
#
# ## About this notebook
#
# Runs without a network in a few seconds (and compiles for some ten seconds, once); needs the extras `regions` and `sources`; writes
# `exposures_03/` (12 MB). More: [Flags](../docs/flags.md), [Regions](../docs/regions.md), [Inputs](../docs/inputs.md#masks).
