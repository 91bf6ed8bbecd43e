# %% [markdown]
# # Webb and Roman
#
# Calibrated images of JWST and Roman are read and written as the agencies have them, without their pipelines: the gwcs in the file,
# flags by name, detectors that belong to one exposure. This tutorial matches a NIRCam mosaic, a MIRI field with a part of the
# detector that sees no sky, and three exposures of Roman.
#
# **You will learn**
#
# * what is read of `_cal.fits` and `.asdf` files, and what a detector's flags do;
# * when all detectors of an exposure share a level, and when not;
# * to leave the coronagraphs of MIRI out of a footprint;
# * what `apply` writes for the pipeline's next steps, and how to take it back;
# * what differs from the pipelines' own step `skymatch`.
#
# You need the extra `jwst` (`python -m pip install ".[jwst]"` in the clone: the packages asdf, gwcs and lz4), and nothing of the pipelines.

# %%
import pandas as pd
from bokeh.io import output_notebook, show
from bokeh.resources import INLINE

from skymatch_nb import SkyMatchSession
from skymatch_nb.datasets import make_roman_mosaic, make_webb_mosaic

output_notebook(INLINE, hide_banner=True)
nircam = make_webb_mosaic("nircam", exposures=4, pedestal=0.02, seed=11, overwrite=True)

# %% [markdown]
# ## A NIRCam mosaic
#
# Four dithered exposures with the four short-wave detectors of module B, cut to 320 pixels: gas, galaxies, stars. Files are named as
# the archive names them. A wildcard takes them all, and `overlap_stat="difference"` compares pixels at the same place on the sky,
# so that whatever both exposures see cancels.

# %%
s = SkyMatchSession(
    "nircam/jw*_cal.fits", skymethod="match", skystat="median", overlap_stat="difference", verbose=False
)
s.load()[["group", "detector", "filter", "data_unit", "wcs", "dq_from"]]

# %% [markdown]
# The world coordinates are the gwcs in the ASDF extension. The FITS header has only a fit to it, which is used, with a warning, where
# there is no gwcs, or where asdf is not installed. Units of MJy/sr are surface brightness and taken as they are.
#
# The column `group` says that the four detectors of an exposure belong together; more of that soon. Here they are on the sky:

# %%
show(s.plot_footprints())

# %% [markdown]
# ## Flags by name
#
# Most flags of JWST tell of what the pipeline has put right, a jump in the ramp say. By default only `DO_NOT_USE`, `NON_SCIENCE` and
# `OUTLIER` are bad. `dq_bits` takes names: those that are good, or after a `~` those that are bad.

# %%
choices = ["default", "~DO_NOT_USE+NON_SCIENCE", "~DO_NOT_USE+NON_SCIENCE+JUMP_DET", 0]
rows = {}
for bits in choices:
    s.configure(dq_bits=bits)
    masks = s.mask()
    rows[str(bits)] = {"good are": masks["dq_good"].iloc[0], "good_fraction": masks["good_fraction"].mean()}

s.configure(dq_bits="~DO_NOT_USE+NON_SCIENCE")
pd.DataFrame(rows).T

# %% [markdown]
# `0`, the habit of Hubble's users, throws away every pixel that a cosmic ray ever hit. Here that is little; the longer an
# exposure, the more it is. [Flags](../docs/flags.md) has all names.
#
# ## One level per exposure, or per detector?
#
# By default all detectors of an exposure share a level, since they look through the same zodiacal light. Is that so here?
# `compare_groups` solves both ways, from the same samples.

# %%
s.compare_groups(["exposure", "chip"])

# %% [markdown]
# It is not. With a level per exposure, overlaps disagree by many times their errors; with a level per detector they agree to
# noise. A pull is what is left in units of its standard error. The detectors of this camera have pedestals of their own, as
# those of NIRCam often do, so:

# %%
s.configure(group_by="chip")
s.solve()

planted = pd.Series(nircam.sky)


def errors(session, truth):
    """Level less what was planted, by file, the mean taken off: levels are known up to a constant."""
    found = session.sky.set_index(session.members["file"])["sky_data"]
    difference = found - truth[found.index]
    return difference - difference.mean()


found = s.sky.set_index(s.members["file"])["sky_data"]
result = pd.DataFrame({"planted": planted - planted.min(), "found": found})
result["error"] = errors(s, planted)
result["err"] = s.sky["sky_data_err"].to_numpy()
result.round(5).rename(index=lambda name: name[20:31])

# %%
by_exposure = SkyMatchSession(
    "nircam/jw*_cal.fits", skymethod="match", skystat="median", overlap_stat="difference", verbose=False
)
pd.Series(
    {
        "skies differ by": planted.std(ddof=0),
        "error, a level per exposure": errors(by_exposure, planted).std(ddof=0),
        "error, a level per detector": errors(s, planted).std(ddof=0),
    },
    name="MJy/sr (rms)",
).round(5).to_frame()

# %% [markdown]
# Before, after, and what overlaps still differ by:

# %%
show(s.plot_preview(size=300))

# %% [markdown]
# ## MIRI: a detector that is partly no sky
#
# On the left of MIRI's imager lie coronagraphs, with a background of their own. They are flagged as `NON_SCIENCE`, so that no
# statistic uses their pixels. But a footprint is the outline of the detector, and overlaps with that part are listed where there is nothing to compare.

# %%
miri = make_webb_mosaic(
    "miri", camera="MIRI", exposures=4, sky_range=(5.0, 6.0), noise=0.1, cloud=3.0, seed=4, overwrite=True
)
m = SkyMatchSession("miri/jw*_cal.fits", skymethod="match", skystat="median", verbose=False)
frame = m.compute_footprints()["area_arcsec2"].to_numpy()
m.configure(footprint_from="good")
good = m.compute_footprints()["area_arcsec2"].to_numpy()
print(f"the coronagraphs take {1 - good.mean() / frame.mean():.0%} of the outline")
show(m.plot_footprints())

# %% [markdown]
# With `footprint_from="good"` an outline follows the good pixels. The gas is brighter than the differences of the skies. A median of each
# side of an overlap is moved by it, where flags are not at the same places on both sides; differences are not:

# %%
truth = pd.Series(miri.sky)
table = {}
for kind in ("region", "difference"):
    m.configure(overlap_stat=kind)
    pull = m.residuals["pull"].abs().mean()
    table[kind] = {"error (rms, MJy/sr)": errors(m, truth).std(ddof=0), "mean |pull|": pull}
pd.DataFrame(table).T.round(4)

# %%
show(m.plot_preview(size=300))

# %% [markdown]
# ## Roman
#
# Calibrated images of Roman (L2) are ASDF files, and nothing else changes. Pixels are in DN/s unless the pipeline's step `flux` was run; levels are
# compared as brightness, `sky` of the table, and `sky_data` is in the units of the file.

# %%
roman = make_roman_mosaic("roman", exposures=3, detectors=2, seed=8, overwrite=True)
how = {"skymethod": "match", "skystat": "median", "overlap_stat": "difference"}
r = SkyMatchSession("roman/r*_cal.asdf", verbose=False, **how)
r.solve()
known = pd.Series(roman.sky)
pd.DataFrame(
    {
        "group": r.sky["group"].to_numpy(),
        "unit": r.members["data_unit"].to_numpy(),
        "planted": (known - known.min()).to_numpy(),
        "found": r.sky["sky_data"].to_numpy(),
        "err": r.sky["sky_data_err"].to_numpy(),
    },
    index=r.members["detector"],
).round(5)

# %%
show(r.plot_preview(size=300))

# %% [markdown]
# ## Write for the pipeline's next steps
#
# `apply` does what the pipelines' own step does, besides our keyword: the level in `BKGLEVEL`, whether it was subtracted in `BKGSUB`, the method in
# `BKGMETH`, and `S_SKYMAT = COMPLETE`. In Roman's files the same stands in `meta.background` and `meta.cal_step`. Files are replaced whole, and
# originals are kept.

# %%
from astropy.io import fits

m.configure(readonly=False, subtractsky=True)
m.apply()[["keyword", "new", "subtracted", "status"]]

# %%
keywords = ["BKGLEVEL", "BKGSUB", "BKGMETH", "S_SKYMAT"]
pd.DataFrame(
    [[fits.getval(path, keyword) for keyword in keywords] for path in miri.paths],
    columns=keywords,
    index=[path.name for path in miri.paths],
)

# %%
import asdf

r.configure(readonly=False)
r.apply()
with asdf.open(roman.paths[0], ignore_unrecognized_tag=True) as file:
    meta = file["roman"]["meta"]
    print(dict(meta["background"]), "| skymatch:", meta["cal_step"]["skymatch"])

# %% [markdown]
# And back, bit for bit:

# %%
pd.concat([m.undo(), r.undo()])["status"].value_counts().to_frame()

# %% [markdown]
# ## What differs from the pipelines' step
#
# | `skymatch` of the pipelines | here |
# |---|---|
# | compares the statistics of both sides of an overlap (default: a histogram's mode) | the same with `overlap_stat="region"`, or pixel by pixel with `"difference"` |
# | detectors of an exposure share a level (JWST), or have one each (Roman) | as you like: `group_by="exposure"`, `"chip"`, ... |
# | outlines are those of the detector | `footprint_from="good"` follows the good pixels |
# | levels | levels with standard errors, residuals, pulls, a [report](../docs/gallery.md) |
# | files through datamodels, which are written anew | only what changes is written, each file whole or not at all, with `undo` |
# | needs the pipeline | needs asdf and gwcs |
#
# The solutions agree: with `overlap_stat="region"` and the median, levels on a simple scene are those of `stcal.skymatch` to a hundredth of the noise
# of a pixel, which a test of this package sees to.
#
# In the shell all this is
#
# ```sh
# skymatch-nb match 'jw*_cal.fits' --skymethod match --overlap-stat difference --group-by chip --table sky.json
# skymatch-nb match 'r*_cal.asdf' --skymethod match --overlap-stat difference --table sky.json
# ```
#
# ## Troubleshooting
#
# * **`the packages asdf, gwcs and lz4 are needed`**: `python -m pip install ".[jwst]"` in the clone. Files of JWST are then read by their gwcs; until then by the fit
#   in their header, with a warning.
# * **`the WCS of the FITS header is used`**: the file has no ASDF extension, or a damaged one. Positions are as good as the header's SIP, some
#   hundredths of a pixel.
# * **`its gwcs is not that of an image`**: a spectrum. Only images have skies to match.
# * **`a version of its schema that is not known`**: the Roman file is newer than this package.
# * **Pulls of tens with one level per exposure**: try `group_by="chip"`, and look at `compare_groups`.
# * **`surface brightness cannot be matched with counts or rates`**: some files are in MJy/sr, others in DN/s. Match them apart, or run the step that is missing.
#
# ## About this notebook
#
# Runs without a network in about a minute (and compiles for some ten seconds, once); needs the extra `jwst`; writes `nircam/`, `miri/` and `roman/`
# (32 MB). More: [JWST and Roman files](../docs/inputs.md#jwst-and-roman), [Groups](../docs/groups.md),
# [Writing](../docs/apply.md).
