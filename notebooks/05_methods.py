# %% [markdown]
# # Methods: which skymethod?
#
# There are four ways to find levels. On an empty field all of them work. This tutorial takes a field where three of them
# are fooled, a nebula, and compares all four with the sky that was planted.
#
# **You will learn**
#
# * what `localmin`, `globalmin`, `match` and `globalmin+match` do, and what each assumes;
# * to recognise the wrong one, in a preview and in numbers;
# * what comparing pixel by pixel adds.

# %%
import pandas as pd
from bokeh.io import output_notebook, show
from bokeh.resources import INLINE

from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import make_mosaic

output_notebook(INLINE, hide_banner=True)

# %% [markdown]
# ## A nebula
#
# Six exposures. A nebula, brighter than the sky, covers the south-west of the mosaic, and fades before the north-eastern
# corner. The last exposure sees sky without a nebula; no other does all over.

# %%
mosaic = make_mosaic("exposures_05", shape=(384, 768), galaxy=False, nebula=0.6, seed=7, overwrite=True)
planted = pd.Series(mosaic.sky, name="planted")
s = SkyMatchSession("exposures_05/*_flt.fits", skystat="median", verbose=False)
planted.to_frame().round(4)

# %% [markdown]
# Each exposure contains *sky + nebula*. We want the first, which differs from exposure to exposure, and not the second,
# which is the same for all. Before you read on: what will "the lowest value of each exposure" give?
#
# ## The four methods
#
# | `skymethod` | level of an exposure | assumes |
# |---|---|---|
# | `localmin` | the lowest sky of its chips | each exposure sees empty sky |
# | `globalmin` | the lowest of all exposures, for all | all have the same sky |
# | `match` | what makes overlaps agree; the lowest is 0 | overlaps connect all exposures |
# | `globalmin+match` | the same, plus the lowest sky that is left | and one exposure sees empty sky |

# %%
METHODS = ["localmin", "globalmin", "match", "globalmin+match"]


def levels(**params):
    """Levels of the exposures in data units."""
    s.configure(**params)
    return s.sky.groupby("group")["sky_data"].first()


found = pd.DataFrame({method: levels(skymethod=method) for method in METHODS})
found.assign(planted=planted).round(4)

# %% [markdown]
# Two questions can be asked of each column. Are the *differences* between exposures right, so that the mosaic has no
# steps? And are the *levels* right, so that what remains is the nebula, and nothing of it was taken off?

# %%
error = found.sub(planted, axis=0)
scores = pd.DataFrame(
    {
        "steps": error.std(ddof=0),  # rms about the mean
        "offset": error.mean(),  # common to all exposures
        "rms error": (error**2).mean() ** 0.5,
    }
)
scores.round(4)

# %% [markdown]
# Electrons per second. The skies themselves are spread by

# %%
print(f"{planted.std(ddof=0):.4f} electrons per second (rms)")

# %% [markdown]
# * `localmin` takes the faintest nebula of each exposure for sky. The answer is worse than doing nothing.
# * `globalmin` takes the same off everywhere, so that every step stays.
# * `match` has the steps right. Its zero point is arbitrary, the lowest exposure is 0: the offset is the sky of that one.
# * `globalmin+match` has the steps right, and finds the zero point in the corner that has no nebula.
#
# ## See it
#
# Before, after, and what overlaps still differ by, for `localmin`:

# %%
s.configure(skymethod="localmin")
show(s.plot_preview(size=300))

# %% [markdown]
# The patchwork after is worse than before: every exposure lost as much as its own faintest nebula. Now the method that is
# right:

# %%
s.configure(skymethod="globalmin+match")
show(s.plot_preview(size=300))

# %% [markdown]
# And `globalmin`, whose steps are those of the raw exposures:

# %%
s.configure(skymethod="globalmin")
show(s.plot_preview(size=300))

# %% [markdown]
# `match` looks like `globalmin+match`; it only has another zero:

# %%
s.configure(skymethod="match")
show(s.plot_preview(size=300))

# %% [markdown]
# ## Pixel by pixel
#
# With `match`, a small error is left in the steps. It comes from the nebula: both sides of an overlap see the same structure,
# but with other noise and other flagged pixels, and a median is moved by that. `overlap_stat="difference"` subtracts
# pixels at the same place first, and whatever both sides see cancels.

# %%
both = {}
for kind in ("region", "difference"):
    e = levels(skymethod="globalmin+match", overlap_stat=kind) - planted
    both[kind] = {"steps": e.std(ddof=0), "rms pull": s.residuals["pull"].std(), "offset": e.mean()}
pd.DataFrame(both).T.round(5)

# %% [markdown]
# The pull is what is left in overlaps, in standard errors; with differences it falls below 1, to noise. On a nebula, compare
# pixels.
#
# The offset is no matter of overlaps: it depends on how well the darkest exposure's own median stands for sky. There `mode` and
# masked sources can help ([Statistics](04_statistics.ipynb)).
#
# ## Steer
#
# * `reference="demo_03_flt.fits"`: that exposure is 0 in `match`.
# * `fixed={"demo_06_flt.fits": 0.12}`: a sky that you know is held exactly, and the others follow.
# * `match_down=False`: the highest is 0.
# * `robust="huber"`: overlaps that contradict the rest lose weight.

# %%
known = {"demo_06_flt.fits": planted["demo_06_flt.fits"]}
fixed = levels(skymethod="match", overlap_stat="difference", fixed=known)
(fixed - planted).round(5).to_frame("error, with one sky known")

# %% [markdown]
# With one sky known all others are known, nebula or not.
#
# ## Which one, then?
#
# * Overlaps, and only relative levels wanted (mosaics): `match`.
# * Overlaps, and somewhere empty sky: `globalmin+match`.
# * Single exposures of sparse fields: `localmin`.
# * `globalmin` only if all exposures truly share one sky.
#
# ## Troubleshooting
#
# * **Steps remain after `match`**: look at the pulls, then at single overlaps, `show(s.plot_samples(row))`.
# * **A warning of several components**: nothing connects them. `anchor="component"` gives each its own zero.
# * **Levels are negative**: `fixed` or `reference` named an exposure that is not the lowest; that is no fault.
#
# ## About this notebook
#
# Runs without a network in half a minute (and compiles for some ten seconds, once), and writes `exposures_05/` (36 MB). Formulas:
# [Method](../docs/method.md#equations).
