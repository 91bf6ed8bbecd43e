# %% [markdown]
# # The panel
#
# The panel is the session with knobs: every parameter is a control, every table a view, and the answer follows as you turn
# them.
#
# **You will learn**
#
# * to open the panel, and what its views answer;
# * that panel and code are one session;
# * to take home what you did, as code.

# %%
from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import make_mosaic

mosaic = make_mosaic("exposures_06", shape=(256, 512), seed=2024, overwrite=True)
s = SkyMatchSession("exposures_06/*_flt.fits", skymethod="match", skystat="median", verbose=False)
s.solve().groupby("group")[["status", "sky_data"]].first()

# %% [markdown]
# ## Open it
#
# There is nothing to set up. If you read this where no kernel runs (in the documentation, say), you see what a saved
# notebook keeps of it: the session in words, its map and tables. The picture below is what JupyterLab shows.

# %%
panel = s.panel()
panel

# %% [markdown]
# ![The panel in JupyterLab](../docs/images/panel.png)
#
# On the left are the steps, with their state (`✓` fresh, `↻` stale, `○` not run, `✗` failed), and in each the parameters that it
# reads. On the right is the map, with views below it.
#
# ## Try it
#
# 1. Turn *lsigma*. The step *Solve* becomes stale, then fresh again: with *live* on, every change is solved at once.
# 2. Tap an exposure on the map. All views select it.
# 3. Tap an overlap, and open *Samples*: the pixels of both sides, and how they were clipped.
# 4. Draw a box on the galaxy with the box tool beside the map, and make it an excluded region.
# 5. Open *Residuals*. Which pair disagrees most? Select it, and find it on the map.
# 6. Open *Preview*: before and after.
# 7. Press *Apply*: a list of what would be written appears; nothing is written before you confirm it.
#
# ## The same from code
#
# The panel has no state of its own. What you turn there is in `s.params`, and what you configure here moves the controls
# there. Run this cell and look at the panel:

# %%
s.configure(skystat="mean", nclip=3)
s.params.skystat, s.params.nclip

# %%
s.sky[["status", "sky_data", "sky_data_err"]]

# %% [markdown]
# ## Take it home
#
# What you did with the mouse should be repeatable. The panel writes the code; so does the session:

# %%
print(s.to_script())

# %%
print(s.to_command())

# %% [markdown]
# `s.to_notebook("again.ipynb")` writes a notebook with that code and the panel; `s.save("session.json")` keeps the session with
# hashes of its inputs, and `SkyMatchSession.open` brings it back:

# %%
s.save("session.json")
again = SkyMatchSession.open("session.json")
bool((again.sky["sky_data"] == s.sky["sky_data"]).all())

# %% [markdown]
# ## Without a notebook
#
# ```sh
# skymatch-nb panel 'exposures_06/*_flt.fits'
# ```
#
# serves the same panel as a web page, on this machine only ([Panel](../docs/panel.md#as-a-web-page)).
#
# ## Troubleshooting
#
# * **There are words, a map and tables, but no controls**: no kernel runs, or the page was reloaded after the kernel ended; run the cell
#   again.
# * **Nothing happens when I turn a control**: *live* is off; press *Solve*.
# * **A control is red**: the value is not allowed; the text beside it says why, and the session keeps the last good one.
# * **It takes long**: new clipping or statistics take milliseconds, new masks read all pixels again. *Cancel* leaves the last answer.
#
# ## About this notebook
#
# Runs without a network in a few seconds (and compiles for some ten seconds, once), and writes `exposures_06/` (16 MB) and `session.json`. More: [The panel](../docs/panel.md).
