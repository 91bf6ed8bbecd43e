# %% [markdown]
# # Coming from stsci.skypac
#
# If you have called `stsci.skypac.skymatch`, or had AstroDrizzle call it, you can keep your calls. This tutorial puts both side by
# side and tells what differs, and why.
#
# **You will learn**
#
# * to run your old call unchanged;
# * what its answer was and is;
# * which defaults differ between the function and a session;
# * to hand levels to AstroDrizzle.

# %%
import pandas as pd
from astropy.io import fits

from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import make_mosaic

mosaic = make_mosaic("exposures", shape=(256, 512), seed=2024, overwrite=True)

# %% [markdown]
# ## The same call
#
# ```python
# from stsci.skypac.skymatch import skymatch      # there
# from skymatch_nb import skymatch                # here
# ```
#
# Names, order and defaults of all parameters are those that were published. One argument is enough; the log goes where
# `flog` says.

# %%
from skymatch_nb import skymatch

sky = skymatch(
    "exposures/*_flt.fits",
    skymethod="match",
    skystat="median",
    nclip=5,
    lsigma=4.0,
    usigma=4.0,
    dq_bits=0,
    readonly=True,
    verbose=False,
    flog="skymatch.log",
)
sky[["group", "status", "sky_data", "header_new"]]

# %% [markdown]
# The reference returned nothing and printed; here you get the table. The log has what was printed; this is its end:

# %%
from pathlib import Path

print("\n".join(Path("skymatch.log").read_text().splitlines()[-14:]))

# %% [markdown]
# ## The same, as a session
#
# The function is a session that is thrown away. Kept, it can be asked more:

# %%
s = SkyMatchSession("exposures/*_flt.fits", skymethod="match", skystat="median", dq_bits=0, verbose=False)
bool((s.sky["sky_data"] == sky["sky_data"]).all())

# %% [markdown]
# | stsci.skypac | here |
# |---|---|
# | `skymatch(input, ...)` | `skymatch(input, ...)`, or `SkyMatchSession(input, ...).solve()` |
# | log of levels | `s.sky`, with standard errors |
# | - | `s.residuals`: do overlaps agree? |
# | `readonly=False` | `s.configure(readonly=False)`, `s.apply()`, and `s.undo()` |
# | `subtractsky=True` | the same |
# | `skyuser_kwd="SKYUSER"` | the same |
# | `'file.fits{1,("sci",2)}'`, `'@list.txt'` | [the same](../docs/inputs.md) |
# | user masks in an `@`-file | the same, or `masks={...}` |
# | TEAL and `.cfg` files | `TEAL_SkyMatch`, `SkyMatchParams.from_cfg`, or the [panel](06_panel.ipynb) |
#
# ## What differs, and why
#
# * **It runs.** As released, `match` of the reference ends in an AttributeError with today's spherical-geometry, and its DQ masks are
#   inverted. Levels that were made with those masks are levels of the flagged pixels.
# * **`mode`** is the peak of a smoothed histogram. That of the reference scatters by a tenth of a sigma; `skystat="binmode"` is that
#   estimator without its fault.
# * **`dq_bits`** is None (ignore DQ) in the function, as published, and `'default'` (every flagged pixel is bad) in a session.
# * **Overlaps** are exact: distortion is followed, vertices are not rounded to whole pixels.
# * **No value is never 0.** An exposure without an overlap has a status and no level, not 0.
# * **Groups that nothing connects** are named in a warning.
#
# [Differences](../docs/differences.md) has all of them, each with its measured effect.
#
# For this mosaic, the statistics of old and new against the planted sky:

# %%
planted = pd.Series(mosaic.sky)


def error(**params):
    """Rms error of the levels, mean removed."""
    s.configure(**params)
    found = s.sky.groupby("group")["sky_data"].first()
    return float((found - planted[found.index]).std(ddof=0))


pd.Series(
    {
        "binmode (as the reference meant it)": error(skystat="binmode"),
        "mode": error(skystat="mode"),
        "median": error(skystat="median"),
        "median of differences": error(skystat="median", overlap_stat="difference"),
    },
    name="error, electrons per second",
).round(5).to_frame()

# %% [markdown]
# ## Levels in the headers
#
# The reference wrote SKYUSER into each image extension. So do we. Without `subtractsky` the
# keyword is all that changes; pixels stay as they are.

# %%
s.configure(skystat="median", overlap_stat="region", readonly=False)
s.apply()[["keyword", "old", "new", "subtracted", "status"]]

# %%
[round(fits.getval(path, "SKYUSER", ("SCI", 1)), 5) for path in mosaic.paths]

# %% [markdown]
# And back, bit for bit:

# %%
s.undo()["status"].value_counts()

# %% [markdown]
# ## In AstroDrizzle
#
# AstroDrizzle asks `stsci.skypac` for skies. With today's releases its `match` and `globalmin+match` fail inside, and it goes on with
# a local method; one line of its log tells. There are three ways to give it levels of ours.
#
# **The match inside.** With drizzlepac installed (`pip install "skymatch_nb[drizzlepac]"`) the call that you know, with our match
# in place of the one that fails:
#
# ```python
# import skymatch_nb                                      # there: from drizzlepac.astrodrizzle import AstroDrizzle
#
# sky = skymatch_nb.astrodrizzle("*_flt.fits", output="mosaic", skymethod="globalmin+match")
# ```
#
# **A sky file.** Solve and look here, then hand the levels over: `AstroDrizzle(..., skysub=True, skyfile="sky.txt")` with the file

# %%
print(s.write_skyfile("sky.txt").read_text())

# %% [markdown]
# There is one value for each file, in the units of the pixels.
#
# **Subtracted pixels.** Take the sky off here (`readonly=False, subtractsky=True`), and tell AstroDrizzle so:
# `AstroDrizzle(..., skysub=False, skyuser="SKYUSER")`.
#
# Two keywords are easily mixed up:
#
# * **SKYUSER** is ours: what was taken off the pixels, or, without `subtractsky`, what should be. AstroDrizzle reads it only where
#   `skyuser` names it *and* `skysub=False`, and then takes the pixels to be without that sky. With `skysub=True` it ignores the keyword and
#   subtracts a sky of its own, a second time.
# * **MDRIZSKY** is AstroDrizzle's: what it used itself. Do not subtract with `skyuser_kwd="MDRIZSKY"`: exposures of the archive have a
#   computed value there already.
#
# [Match skies for AstroDrizzle](../docs/howto/astrodrizzle.md) has each of these ways with its parameters, and what to do with
# IVM weights.
#
# ## Troubleshooting
#
# * **`this solution was applied before`**: applying twice would subtract twice. `undo` first, or `load` the files as they are now.
# * **`TypeError` for `flog`**: a path, an open stream, or None.
# * **Old results differ**: with DQ masks inverted they were measured on flagged pixels; compare with `dq_bits=None`.
# * **Chips of one file have different levels** in `write_skyfile`: with `group_by="chip"` one value per file does not do; use the header.
#
# ## About this notebook
#
# Runs without a network in a few seconds (a minute the first time), and writes `exposures/` (7 MB), `skymatch.log` and `sky.txt`. `stsci.skypac`
# need not be installed.
