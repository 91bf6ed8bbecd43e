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
# * to drizzle a mosaic without seams: AstroDrizzle as released, and with our match in it;
# * to hand levels to AstroDrizzle by files and keywords.

# %%
import pandas as pd
from astropy.io import fits

from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import make_mosaic

mosaic = make_mosaic("exposures_09", shape=(256, 512), seed=2024, overwrite=True)

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
    "exposures_09/*_flt.fits",
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
s = SkyMatchSession("exposures_09/*_flt.fits", skymethod="match", skystat="median", dq_bits=0, verbose=False)
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
# | TEAL and `.cfg` files | `skymatch_nb.compat.TEAL_SkyMatch`, `SkyMatchParams.from_cfg`, or the [panel](06_panel.ipynb) |
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
# AstroDrizzle asks `stsci.skypac` for skies. With today's releases its `match` and `globalmin+match` fail inside. After `match` it
# goes on with `localmin`, a sky of each exposure's own; after `globalmin+match` with `globalmin`, the lowest sky for all. One line of
# its log tells, and says `localmin` in both cases. Here is the second, in a mosaic of four exposures whose skies are known.
#
# That needs drizzlepac (`python -m pip install ".[drizzlepac]"` in the clone):

# %%
from importlib.metadata import version
from importlib.util import find_spec

drizzles = find_spec("drizzlepac") is not None
if drizzles:
    print("drizzlepac", version("drizzlepac"), "with stsci.skypac", version("stsci.skypac"))
else:
    print("drizzlepac is not installed: the cells of this section drizzle nothing.")
    print("The picture and the numbers below are of a run that did.")

# %% [markdown]
# The exposures are of ACS/WFC by their headers (two chips each, SIP distortion), 0.3 of their width overlap, and each has a sky of its
# own. Each way of drizzling gets fresh copies.

# %%
import contextlib
import io
import re
import warnings

import numpy as np
from IPython.display import Image, display

warnings.filterwarnings(
    "ignore", "Card is too long", fits.verify.VerifyWarning
)  # names of files, in AstroDrizzle's headers


def four_exposures(folder):
    return make_mosaic(
        folder, rows=2, cols=2, shape=(200, 400), overlap=0.3, seed=3, camera="ACS/WFC", units="ELECTRONS",
        exptimes=[500.0], stars=20, galaxy=False, overwrite=True,
    )  # fmt: skip


def drizzled(how, folder, **parameters):
    """Drizzle in a folder, offline and without its many lines of output; return its log."""
    four_exposures(folder)
    offline = {"updatewcs": False, "mdriztab": False, "num_cores": 1, "build": True}
    offline |= {"preserve": False, "clean": True}
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        how("*_flt.fits", output="mosaic", runfile="mosaic", **offline, **parameters)
    return Path(folder, "mosaic.log").read_text()


four = four_exposures("as_released")
pd.Series(four.sky, name="planted sky, electrons").round(2).to_frame()

# %% [markdown]
# ### As released

# %%
if drizzles:
    from drizzlepac.astrodrizzle import AstroDrizzle

    log = drizzled(AstroDrizzle, "as_released", skymethod="globalmin+match")
    released = {chip: float(sky) for sky, chip in re.findall(r"Applying sky value of (\S+) to (\S+)", log)}
    print(*re.findall(r".*Reverting.*", log), sep="\n")

# %% [markdown]
# ### With ours
#
# One line differs. The same four exposures, the same parameters:

# %%
if drizzles:
    import skymatch_nb

    made = []
    drizzled(
        lambda *args, **parameters: made.append(skymatch_nb.astrodrizzle(*args, **parameters)),
        "ours",
        skymethod="globalmin+match",
    )
    matched = made[0]
    skies = pd.DataFrame(
        {
            "planted": matched.group.map(four.sky),
            "as released": [released[chip.lower()] for chip in matched.index],
            "ours, MDRIZSKY": [
                fits.getval(f"ours/{p.name}", "MDRIZSKY", ("SCI", k)) for p in four.paths for k in (1, 2)
            ],
        }
    )
    skies["ours less planted"] = skies["ours, MDRIZSKY"] - skies.planted
    skies["sky_err"] = matched.sky_data_err
    skies["pull"] = skies["ours less planted"] / skies.sky_err
    display(skies.round(3))
    print("MDRIZSKY within 3 sky_err of the planted sky:", bool((skies.pull.abs() < 3).all()))

# %% [markdown]
# As released every exposure gets the same sky, that of the darkest: that is `globalmin`, whatever the log says. It is taken off, but
# not written to the files: they have no `MDRIZSKY`, or that of an earlier run. Ours are the planted ones.
#
# ### Seams
#
# `seams` measures the step across every edge of an overlap in a product, with its error. Where bright structure makes errors so large
# that a step of a pixel's noise would be lost, an edge is `blind`: that no step is found there proves nothing. As released there are
# fewer edges to be measured, since where skies differ AstroDrizzle takes good pixels of overlaps for cosmic rays:

# %%
if drizzles:
    from skymatch_nb.compat.seams import seams

    edges = {name: seams(f"{name}/mosaic_drz.fits") for name in ("as_released", "ours")}
    steps = pd.DataFrame(
        {
            name: {
                "edges": len(table),
                "largest step, electrons per second": table.step.abs().max().round(4),
                "largest step / its error": table.pull.abs().max().round(1),
                "blind edges": int(table.blind.sum()),
            }
            for name, table in edges.items()
        }
    ).T
    display(steps)
    seen = len(edges["ours"]) > 0 and not edges["ours"].blind.any()
    print("no seam with ours, all steps below 3 errors:", bool(seen and (edges["ours"].pull.abs() < 3).all()))

# %% tags=["picture=astrodrizzle.png"]
if drizzles:
    from matplotlib.figure import Figure

    titles = {"as_released": "as released: skies not matched", "ours": "with skymatch_nb: skies matched"}
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    for place, (name, title) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        with fits.open(f"{name}/mosaic_drz.fits") as hdus:
            rates = np.where(hdus["WHT"].data > 0, hdus["SCI"].data, np.nan)
        shown = place.imshow(rates - np.nanmedian(rates), origin="lower", cmap="gray", vmin=-0.1, vmax=0.1)
        place.set(title=title, xticks=[], yticks=[], facecolor="lightsteelblue")
    figure.colorbar(shown, ax=figure.axes, label="less the median, electrons per second", shrink=0.8)
    figure.savefig("before_after.png", dpi=80)
    display(Image("before_after.png"))

# %% [markdown] tags=["where-not-drizzled"]
# This is what comes out, before and after (drizzlepac 3.11.0, stsci.skypac 1.0.12):
#
# ![Two mosaics of the same four exposures: with seams as released, and without seams with our match](../docs/images/astrodrizzle.png)
#
# As released the largest step is 0.0731 electrons per second, 58 times its error; with ours it is 0.0024, and none is beyond 3 errors.

# %% [markdown]
# [Match skies for AstroDrizzle](../docs/howto/astrodrizzle.md) has the same as a block, `with enable(...)`, around calls of
# AstroDrizzle in scripts, and all parameters. What you then need to know of two keywords stands below.
#
# ## Levels by files and keywords
#
# There are two more ways, for skies that you have looked at first.
#
# **A sky file.** Solve and look here (these are the six exposures of the beginning), then hand the levels over: `AstroDrizzle(..., skysub=True, skyfile="sky.txt")` with the file

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
# * **`Reverting sky computation to "localmin"`** in AstroDrizzle's log: its match failed, and it used `localmin` (after `match`) or
#   `globalmin` (after `globalmin+match`). It wrote no `MDRIZSKY`; what stands there is of an earlier run. Run it through
#   `skymatch_nb.astrodrizzle`, or in a block `with enable():`.
# * **`AstroDrizzle has no parameter ...`**: AstroDrizzle's parameters are given by keyword, those of the match that it has no name for in
#   `matching={...}`.
# * **Chips of one file have different levels** in `write_skyfile`: with `group_by="chip"` one value per file does not do; use the header.
#
# ## About this notebook
#
# Runs without a network in a few seconds (and compiles for some ten seconds, once), and writes `exposures_09/`,
# `as_released/`, `skymatch.log` and `sky.txt` (23 MB). `stsci.skypac` need not be installed. With drizzlepac it takes half a minute
# more, and writes `ours/`, mosaics and `before_after.png`, too (20 MB more); without it the section on AstroDrizzle shows its picture
# only.
