"""Objects with an open image, extensions and masks, known by what they have; nothing of STScI is needed."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

import skymatch_nb
from skymatch_nb import InputError, InputTypeError, ParameterError, SkyMatchError, SkyMatchSession, SkyMatchWarning
from skymatch_nb.compat.astrodrizzle import Matching
from skymatch_nb.compat.fileinfo import open_images
from skymatch_nb.io.inputs import ImageSpec
from skymatch_nb.io.memory import ObjectSpec


@dataclass
class Image:
    """What an image reference of stsci.skypac has of interest here."""

    hdu: Any
    closed: bool = False


@dataclass
class Info:
    image: Any
    fext: list[Any]
    mask_images: list[Any] = field(default_factory=list)
    maskext: list[Any] = field(default_factory=list)


NO_MASK = Image(None, closed=True)


@pytest.fixture
def opened(mosaic, tmp_path):
    """Two overlapping exposures of two chips, open for update as AstroDrizzle has them."""
    lists = []
    for path in mosaic.paths[:2]:
        copy = tmp_path / path.name
        copy.write_bytes(path.read_bytes())
        lists.append(fits.open(copy, mode="update", memmap=False))
    yield lists
    for hdus in lists:
        hdus.close()


@pytest.fixture
def infos(opened):
    return [Info(Image(hdus), [("SCI", 1), ("SCI", 2)], [NO_MASK, NO_MASK], [None, None]) for hdus in opened]


def match(infos, **given):
    params = {"skymethod": "match", "skystat": "median", "skyuser_kwd": "MDRIZSKY", "dq_bits": None, "readonly": False}
    return Matching(SimpleNamespace(skymatch=None), {}, None, False)(infos, **params | given)


def direct(opened, **params):
    paths = [Path(hdus.filename()) for hdus in opened]
    return SkyMatchSession(paths, skymethod="match", skystat="median", dq_bits=None, **params).sky


def test_levels_go_to_the_open_headers_and_with_them_to_the_files(opened, infos):
    expected = direct(opened).sky_data.to_numpy()
    sky = match(infos)
    assert sky.sky_data.to_numpy() == pytest.approx(expected, abs=1e-12)
    headers = [hdus["SCI", version].header for hdus in opened for version in (1, 2)]
    assert [header["MDRIZSKY"] for header in headers] == pytest.approx(expected)
    assert headers[0].comments["MDRIZSKY"] == "Sky computed by skymatch_nb for AstroDrizzle"
    for hdus in opened:
        hdus.close()
    written = [fits.getheader(hdus.filename(), ("SCI", 2))["MDRIZSKY"] for hdus in opened]
    assert written == pytest.approx(expected[1::2])


def test_readonly_changes_nothing(opened, infos):
    match(infos, readonly=True)
    assert all("MDRIZSKY" not in hdu.header for hdus in opened for hdu in hdus)


def test_pixels_are_left_on_disk(opened, infos):
    specs = [image.spec() for image in open_images(infos)]
    assert all(isinstance(spec, ImageSpec) for spec in specs)
    match(infos)
    assert not any("data" in vars(hdus["SCI", 1]) for hdus in opened)


def test_pixels_that_were_changed_in_memory_count(opened, infos):
    before = match(infos, readonly=True).sky_data.to_numpy()
    opened[1]["SCI", 1].data += np.float32(100)
    opened[1]["SCI", 2].data += np.float32(100)
    specs = [image.spec() for image in open_images(infos)]
    assert [type(spec) for spec in specs] == [ImageSpec, ObjectSpec]
    after = match(infos, readonly=True).sky_data.to_numpy()
    assert (after - after[0] - (before - before[0]))[2:] == pytest.approx(100, abs=1e-3)


def test_headers_that_were_changed_in_memory_count(opened, infos):
    for version in (1, 2):
        opened[1]["SCI", version].header["CRVAL1"] += 0.001
    assert isinstance(open_images(infos)[1].spec(), ObjectSpec)


@pytest.mark.parametrize("optimize", ["balanced", "inmemory"])
@pytest.mark.parametrize("masks_on_disk", [True, False])
def test_masks_of_files_and_of_memory(opened, infos, tmp_path, optimize, masks_on_disk):
    good = np.zeros(opened[0]["SCI", 1].shape, np.uint8)
    good[:, 60:] = 1
    path = tmp_path / "mask.fits"
    fits.PrimaryHDU(good).writeto(path)
    with fits.open(path, memmap=False) as there:
        held = there if masks_on_disk else fits.HDUList([fits.PrimaryHDU(good)])
        infos[0].mask_images[1], infos[0].maskext[1] = Image(held), 0
        assert held[0].data.any()  # AstroDrizzle's masks have been read
        sky = match(infos, optimize=optimize)
    expected = direct(opened, masks={f"{Path(opened[0].filename()).name}[SCI,2]": good})
    assert sky.sky_data.to_numpy() == pytest.approx(expected.sky_data.to_numpy(), abs=1e-9)
    assert (sky.sky_data.to_numpy()[2:] != direct(opened).sky_data.to_numpy()[2:]).any()


def test_images_without_a_file_and_chosen_extensions(opened):
    lists = [fits.HDUList([hdu.copy() for hdu in hdus]) for hdus in opened]
    infos = [Info(hdus, [("sci", 2)]) for hdus in lists]
    sky = match(infos)
    assert len(sky) == 2
    assert "MDRIZSKY" not in lists[1]["SCI", 1].header
    assert lists[1]["SCI", 2].header["MDRIZSKY"] == sky.sky_data.iloc[1]


def test_log_takes_any_name(opened, infos):
    class Entries(list):
        def logentry(self, text, *fields):
            self.append(text.format(*fields))

    log = Entries()
    groups = {Path(hdus.filename()).name: f"night {k}" for k, hdus in enumerate(opened)}
    matching = Matching(SimpleNamespace(skymatch=None), {"group_by": groups}, None, False)
    matching(infos, skymethod="match", flog=log)
    assert any("group_by = {'demo" in line for line in log)
    assert set(matching.sky.group) == {"night 0", "night 1"}


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda info: delattr(info, "fext"), InputTypeError, "input 1: a Info has no fext"),
        (lambda info: setattr(info, "image", "a.fits"), InputTypeError, "input 1: a str where an open image is needed"),
        (lambda info: setattr(info.image, "closed", True), InputError, "input 1: the image is closed"),
        (lambda info: setattr(info, "fext", []), InputError, "_flt.fits: no extension of it is named"),
        (lambda info: setattr(info, "fext", [("SCI", 7), 1]), InputError, r"_flt.fits\[SCI,7\]: no such extension"),
        (lambda info: setattr(info, "fext", [("SCI", "*"), 1]), InputError, "is no extension"),
        (lambda info: info.mask_images.append(NO_MASK), InputError, "3 masks for 2 extensions"),
    ],
)
def test_what_cannot_be_used_is_named(infos, change, error, text):
    change(infos[0])
    with pytest.raises(error, match=text):
        match(infos)


def test_mask_of_another_shape_is_named(infos):
    mask = fits.HDUList([fits.PrimaryHDU(np.ones((3, 4), np.uint8))])
    infos[1].mask_images[0], infos[1].maskext[0] = Image(mask), 0
    with pytest.raises(InputError, match=r"\[SCI,1\]: its user mask has shape \(3, 4\), the image"):
        match(infos)


def test_pixels_are_never_subtracted(infos):
    with pytest.raises(ParameterError, match="subtracts the sky while it drizzles"):
        match(infos, subtractsky=True)


def test_drizzlepac_is_asked_for_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "drizzlepac", None)
    monkeypatch.setitem(sys.modules, "drizzlepac.sky", None)
    with pytest.raises(SkyMatchError, match=r"pip install .skymatch_nb\[drizzlepac\]."):
        skymatch_nb.astrodrizzle("*_flt.fits")


def test_warning_that_is_made_an_error_is_a_failure_too(infos):
    matching = Matching(SimpleNamespace(skymatch=None), {"group_by": "chip"}, None, False)
    for method in ("match", "localmin"):  # as AstroDrizzle tries again
        with pytest.raises(SkyMatchWarning, match="sets that do not overlap"):
            matching(infos, skymethod=method)


def test_failure_is_kept_and_the_fallback_refused(infos):
    matching = Matching(SimpleNamespace(skymatch=None), {"min_overlap_pixels": 10**6}, None, False)
    with pytest.raises(Exception, match="overlap") as first:
        matching(infos, skymethod="match")
    with pytest.raises(type(first.value)) as second:
        matching(infos, skymethod="localmin")
    assert second.value is first.value is matching.failure
    assert len(matching(infos, skymethod="localmin")) == 4
    assert matching.failure is None
