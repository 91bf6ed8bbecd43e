# %% [markdown]
# # Statistics: one number for many pixels
#
# The sky of a sample of pixels is a single number, but pixels are not all sky: stars, galaxies and cosmic rays add a
# tail of bright ones. How that tail is cut and which statistic is taken decides how much of it ends in the answer.
#
# **You will learn**
#
# * what clipping does, iteration by iteration;
# * how the estimators differ, on pixels that you can see;
# * to choose one, and to check that the choice does not matter.

# %%
import numpy as np
import pandas as pd
from bokeh.io import output_notebook, show
from bokeh.layouts import row
from bokeh.palettes import Colorblind
from bokeh.plotting import figure
from bokeh.resources import INLINE

from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import make_mosaic

output_notebook(INLINE, hide_banner=True)
mosaic = make_mosaic("exposures_04", cols=2, shape=(384, 768), chips=1, overlap=0.3, seed=3, stars=1500, overwrite=True)
s = SkyMatchSession("exposures_04/*_flt.fits", skymethod="match", skystat="median", verbose=False)

# %% [markdown]
# ## A crowded field
#
# Fifteen hundred stars in each exposure, and a galaxy. Here is one of the exposures next to its histogram.

# %%
from astropy.io import fits

pixels = fits.getdata(mosaic.paths[0], "SCI", 1)
good = pixels[fits.getdata(mosaic.paths[0], "DQ", 1) == 0]
true = mosaic.sky[mosaic.paths[0].name]

shown = figure(
    width=480, height=270, title="SCI", x_range=(0, 768), y_range=(0, 384), match_aspect=True, toolbar_location=None
)
scaled = np.arcsinh((pixels - true) / 0.05)
shown.image([np.clip(scaled, -1, 4)], x=0, y=0, dw=768, dh=384, palette="Greys256")

counts, edges = np.histogram(good, bins=200, range=(true - 0.1, true + 0.5))
histogram = figure(
    width=420, height=270, title="good pixels", x_axis_label="electrons per second", y_axis_label="pixels"
)
histogram.quad(left=edges[:-1], right=edges[1:], bottom=0, top=counts, line_color=None, fill_color=Colorblind[8][0])
histogram.vspan(x=true, line_color="black", line_dash="dashed")
show(row(shown, histogram))

# %% [markdown]
# The dashed line is the planted sky. The peak lies close to it, a little to the right, and a long tail of starlight leads away: the mean of
# all these pixels would be far too high.
#
# ## Clipping
#
# Take the mean m and the deviation d of the values; keep those between m - `lsigma` d and m + `usigma` d; again, `nclip` times.
# The figure shows the limits of every iteration for one member.

# %%
show(s.plot_samples(s.members.index[0]))

# %% [markdown]
# Too little clipping leaves the tail; too much cuts into the noise itself, on both sides alike as long as the
# distribution is symmetric. Below is the sky of that exposure, for some settings, minus the planted one.

# %%
levels = SkyMatchSession("exposures_04/*_flt.fits", skymethod="localmin", verbose=False)
first = mosaic.paths[0].name


def error(**params):
    """Sky of the first exposure minus the planted sky, electrons per second."""
    levels.configure(**params)
    return float(levels.sky.loc[f"{first}[SCI,1]", "sky_data"]) - true


clipping = pd.DataFrame(
    {
        stat: {nclip: error(skystat=stat, nclip=nclip) for nclip in (0, 1, 3, 5, 10, 20)}
        for stat in ("mean", "median", "mode")
    }
).rename_axis("nclip")
clipping.round(4)

# %% [markdown]
# A column that still falls at the bottom is not finished. Narrower limits close in faster:

# %%
pd.DataFrame(
    {
        stat: {sigma: error(skystat=stat, nclip=10, lsigma=sigma, usigma=sigma) for sigma in (2, 2.5, 3, 4, 5)}
        for stat in ("mean", "median", "mode")
    }
).rename_axis("lsigma, usigma").round(4)

# %% [markdown]
# ## Estimators
#
# | `skystat` | what it is | good for |
# |---|---|---|
# | `mean` | mean of the kept pixels | little structure; least noise |
# | `median` | middle of the kept pixels | the all-rounder |
# | `mode` | peak of the smoothed histogram (the default) | tails of stars and galaxies |
# | `binmode` | peak of the plain histogram, as the reference has it | comparison with old results; noisy |
# | `midpt` | median from the histogram | comparison with old results |
# | `biweight` | Tukey's robust mean | quiet and robust |
# | `sextractor` | 2.5 median - 1.5 mean, or the median where that is unsafe | crowded fields, `localmin` |
#
# All of them for one exposure, as an error against the planted sky, and in units of that exposure's pixel noise:

# %%
levels.configure(nclip=5, lsigma=4.0, usigma=4.0)
stats = ["mean", "median", "mode", "binmode", "midpt", "biweight", "sextractor"]
errors = pd.Series({stat: error(skystat=stat) for stat in stats}, name="error")
noise = float(np.median(fits.getdata(mosaic.paths[0], "ERR", 1)))
pd.DataFrame({"error": errors, "in sigma": errors / noise}).round(4)

# %%
near = figure(
    width=820, height=300, title="where each statistic lies", x_range=(true - 0.02, true + 0.08),
    x_axis_label="electrons per second", y_axis_label="pixels",
)  # fmt: skip
counts, edges = np.histogram(good, bins=200, range=(true - 0.05, true + 0.1))
near.quad(left=edges[:-1], right=edges[1:], bottom=0, top=counts, line_color=None, fill_color="lightgrey")
for color, (stat, value) in zip(Colorblind[8], errors.items(), strict=False):
    near.line([true + value] * 2, [0, counts.max()], line_color=color, line_width=2, legend_label=stat)
near.vspan(x=true, line_color="black", line_dash="dashed")
near.legend.click_policy = "hide"
show(near)

# %% [markdown]
# None of them is the planted sky: faint starlight fills the field, and no statistic of one exposure can tell it from sky.
# That `binmode` came closest is luck: it scatters by half of that from one exposure to the next.
#
# ## Why matching cares less
#
# In an overlap both sides see the same stars, so that their bias is nearly the same, and cancels in the difference. The error of
# matched levels (mean removed) for the same estimators:

# %%
planted = pd.Series(mosaic.sky)


def matched_error(stat, overlap_stat):
    """Rms error of matched levels against the planted skies."""
    s.configure(skystat=stat, overlap_stat=overlap_stat)
    found = s.sky.groupby("group")["sky_data"].first()
    return float((found - planted[found.index]).std(ddof=0))


pd.DataFrame(
    {kind: {stat: matched_error(stat, kind) for stat in stats} for kind in ("region", "difference")}
).rename_axis(columns="overlap_stat").round(5)

# %% [markdown]
# With `overlap_stat="difference"` pixels are subtracted before the statistic is taken. Most of the starlight is gone then, and with it
# most of the error of `median` and its kin. `mean` gains little, and here it even loses: the mean of differences is the difference of
# the means of the same pixels, so that subtracting first changes only which of them are clipped. That it did so well by region is
# luck of this field: in those of `seed=4` to `8` its errors are 0.0006 to 0.0011 by region, and 0.0005 to 0.0007 by differences.
# [Accuracy](../docs/accuracy.md) has such tables for six fields.
#
# ## How sure is it?
#
# Each level has a standard error, and a pull, error over standard error, should be about 1. Let us check, as it is and with
# detected stars masked:


# %%
def pulls(**params):
    """Errors of matched levels, mean removed, in units of their standard errors."""
    s.configure(skystat="median", overlap_stat="difference", **params)
    found = s.sky.groupby("group")[["sky_data", "sky_data_err"]].first()
    off = found["sky_data"] - planted[found.index]
    return (off - off.mean()) / found["sky_data_err"]


pd.DataFrame({"all good pixels": pulls(), "stars masked": pulls(mask_sources=3.0)}).round(2)

# %% [markdown]
# Pulls of 6 and 8 say that the stated errors are too small here, and why is worth knowing: standard errors know of noise that
# is independent from pixel to pixel. Neighbouring exposures sample a star's profile at places up to half a pixel apart; what
# is left of it in the difference spreads over many pixels, alike in all of them. With stars masked half of the pixels are
# gone, and yet levels are better, and errors honest.

# %%
s.configure(mask_sources=None)
# %% [markdown]
# ## Limits in units of the data
#
# `lower` and `upper` cut before clipping, in the units of the pixels or in sigma about each sample's own median. One number serves exposures
# of one sky; sigma serves all.

# %%
s.sweep(upper=["20 sigma", "5 sigma", "3 sigma"], overlap_stat=["region", "difference"])["fit"][
    ["rms_after", "rms_pull"]
]

# %% [markdown]
# ## Troubleshooting
#
# * **The statistic jumps when I move a parameter a little**: `binmode` and `sextractor` do, by their definition. Take `mode` or `median`.
# * **All estimators agree and the answer is still wrong**: the pixels are not sky; see [Masks](03_masks.ipynb).
# * **`all pixels of a clipped`** in the overlaps table: `lower` or `upper` exclude everything.
# * **Pulls are large everywhere**: errors know of noise alone; something that is no noise is in the pixels.
#
# ## About this notebook
#
# Runs without a network in a few seconds (and compiles for some ten seconds, once); needs the extra `sources`; writes `exposures_04/` (12 MB).
# Formulas and their sources: [Method](../docs/method.md#statistics).
