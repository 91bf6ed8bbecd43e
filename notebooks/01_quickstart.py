# %% [markdown]
# # Quickstart: a mosaic in five cells
#
# Overlapping exposures of the sky never have the same background: the Moon moves, the Earth is closer to the line of
# sight, the zodiacal light changes. Put side by side, they show steps at their edges. This tutorial removes them.
#
# **You will learn**
#
# * to make a session from exposures and find the sky level of each;
# * to see whether the levels are right;
# * where the answer goes: a table, a report, the files.
#
# You need to know what a FITS image is, and how to run a cell (Shift-Enter). Nothing is downloaded: the exposures are
# made by the package, with a sky that we know, so that we can check the answer.

# %% [markdown]
# ## 1. Exposures
#
# Six exposures of a galaxy, each a file with two chips as Hubble's cameras have them, with data quality flags, cosmic
# rays and distortion. In your own work this cell is not needed: you have files.

# %%
from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import make_mosaic

mosaic = make_mosaic("exposures_01", shape=(384, 768), seed=2024, overwrite=True)
[path.name for path in mosaic.paths]

# %% [markdown]
# ## 2. A session
#
# A session holds the inputs and the parameters. Give it a wildcard, a list of names, an association table; all that can be
# given stands in [Inputs](../docs/inputs.md). Nothing is read yet.

# %%
s = SkyMatchSession("exposures_01/*_flt.fits", skymethod="match", skystat="median", verbose=False)
s

# %% [markdown]
# ## 3. The answer
#
# `solve` runs whatever it needs first (headers, masks, footprints, overlaps) and returns a pandas table with a row per
# chip. The first run on a machine compiles the numerical kernels, which takes some ten seconds, once.

# %%
sky = s.solve()
sky[["group", "status", "sky_data", "sky_data_err"]]

# %% [markdown]
# `sky_data` is the level in the units of the pixels, `sky_data_err` its standard error. With `skymethod="match"` the
# exposure with the lowest sky is the reference and gets 0; the others tell how much brighter their sky is. Both chips of a
# file share one level.
#
# ## 4. Is it right?
#
# Three answers in one cell. Look: on the left is the mosaic as it is, then with the levels taken off, then what overlapping
# exposures still differ by. Pan and zoom move all three.
#
# Compare with the truth, which is known only here: this sky was planted. Levels are known up to a constant, so the mean is
# taken off.
#
# And measure: how much did neighbouring exposures differ before, and how much after? The last column gives what is left in
# units of its standard error. A few units are normal where a bright galaxy lies in the overlap; tens are not.

# %%
import pandas as pd
from bokeh.io import output_notebook, show
from bokeh.resources import INLINE

output_notebook(INLINE, hide_banner=True)  # once in a notebook
show(s.plot_preview(size=300))

found = sky.groupby("group")["sky_data"].first()
error = found - pd.Series(mosaic.sky)[found.index]
spread = pd.Series(mosaic.sky).std(ddof=0)
print(f"skies differ by {spread:.4f} electrons/s (rms); the error of the levels is {error.std(ddof=0):.5f}")

s.residuals[["before", "after", "pull"]]

# %% [markdown]
# ## 5. Keep it
#
# A report is one HTML page with figures, tables and the code that repeats them. `apply` shows what would be written to
# the files; it writes only when `readonly=False` is set, and `undo` brings the files back bit for bit.

# %%
s.report("report.html")
s.apply()[["keyword", "old", "new", "status"]]

# %% [markdown]
# That is all. In the shell the same is
#
# ```sh
# skymatch-nb match 'exposures_01/*_flt.fits' --skymethod match --skystat median --report report.html
# ```
#
# ## What next
#
# * [Step by step](02_step_by_step.ipynb): what each step returns, and how to read it.
# * [Methods](05_methods.ipynb): which `skymethod` for which field, and what a nebula does to them.
# * [The panel](06_panel.ipynb): the same with sliders.
#
# ## Troubleshooting
#
# * **`no file matches`**: wildcards are relative to the folder in which the notebook runs; `import os; os.getcwd()` tells which.
# * **A figure stays empty**: run the cell with `output_notebook(INLINE)` again after the kernel was restarted or the page reloaded.
# * **`NoOverlapError`**: no two exposures share good pixels. `show(s.plot_footprints())` shows where they are, `s.mask()` how
#   many pixels are good.
# * **Pulls of hundreds**: something is in one exposure and not in another: look at `s.overlaps` and at [masks](03_masks.ipynb), or
#   compare pixel by pixel, `s.configure(overlap_stat="difference")`.
#
# ## About this notebook
#
# Runs without a network in a few seconds (and compiles for some ten seconds, once), and writes `exposures_01/` (36 MB) and
# `report.html` (2 MB). The random seed is fixed: your numbers should be those above.
