"""Every example of docs/inputs.md is run, against small files of the names that the page uses."""

import bz2
import gzip
import re
import shlex
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData, NDData
from astropy.wcs import WCS

from skymatch_nb import InputError, SkyMatchSession, UnitsError
from skymatch_nb.cli import main
from skymatch_nb.io.bunit import classify_unit
from skymatch_nb.io.inputs import Extension, ImageSpec

PAGE = (Path(__file__).parents[1] / "docs" / "inputs.md").read_text(encoding="utf-8")
SHAPE = (40, 60)
SPAN = re.compile(r"`([^`]+)`")


def rows(heading):
    """Code spans of the first two cells of the rows of every table whose first column has a heading."""
    found = []
    for table in re.findall(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE):
        for line in table.splitlines():
            first, second = line.split(" | ")[:2]
            found.append((SPAN.findall(first), SPAN.findall(second)))
    return found


def blocks(language):
    """Fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def unit_rows():
    """Units of each row of the table of units, with what they are taken as."""
    table = re.search(r"^\| unit \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)[1]
    for line in table.splitlines():
        units, taken = line.strip("| ").split(" | ")[:2]
        kinds = taken.split(", ") if taken == "counts, counts, rate" else [taken] * len(SPAN.findall(units))
        yield from zip(SPAN.findall(units), kinds, strict=True)


GIVEN = [
    (example, images[k] if len(images) > 1 else images[0])
    for examples, images in rows("given")
    for k, example in enumerate(examples)
]
REFUSED = [(example, message) for (example,), (message,) in rows("refused")]
FORMS = ["[1]", "[sci]", "['sci']", "[sci,2]", "{1,", "{('sci',*)}", "{'sci'}", "?", "~", "$", "@", "_asn", "Path("]
FORMS += ["ImageSpec(", "fits.open(", "CCDData(", "NDData(", "masked_array(", "header)", "wcs)"]
FORMS += [".gz", ".bz2", ".fz", "_c0f", ".c0h"]
COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]


def header(**cards):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ("RA---TAN", "DEC--TAN"), (10.0, 20.0), (30.5, 20.5)
    wcs.wcs.cdelt = -1 / 3600, 1 / 3600
    made = wcs.to_header()
    made.update({"BUNIT": "electron/s", "EXPTIME": 100.0} | cards)
    return made


def shifted(**cards):
    """Header with an alternate WCS besides the primary one."""
    wcs = WCS(header())
    wcs.wcs.crval, wcs.wcs.name = (10.01, 20.0), "SHIFTED"
    return header(**dict(wcs.to_header(key="A")), **cards)


def pixels(level=5.0, seed=0):
    return (level + 0.1 * np.random.default_rng(seed).standard_normal(SHAPE)).astype(np.float32)


def exposure(path, level=5.0, versions=(1, 2)):
    hdus = [fits.PrimaryHDU()]
    for version in versions:
        hdus.append(fits.ImageHDU(pixels(level, version), shifted(), name="SCI", ver=version))
        hdus.append(fits.ImageHDU(np.zeros(SHAPE, np.int16), name="DQ", ver=version))
    order = [0, *range(1, len(hdus), 2), *range(2, len(hdus), 2)]
    fits.HDUList([hdus[k] for k in order]).writeto(path)


def geis(path, kind, type_, groups):
    """GEIS file whose WCS is in its header."""
    size = 8 * np.dtype(kind).itemsize
    cards = {"SIMPLE": False, "BITPIX": size, "DATATYPE": type_, "NAXIS": 2, "NAXIS1": 60, "NAXIS2": 40}
    cards |= {"GROUPS": True, "GCOUNT": groups, "PCOUNT": 0, "PSIZE": 0} | dict(header())
    lines = [fits.Card(name, value).image for name, value in cards.items()] + ["END"]
    path.write_text("".join(f"{line:80}\n" for line in lines))
    level = 5.0 if kind == ">f4" else 0.0
    path.with_name(f"{path.name[:-1]}d").write_bytes(np.full((groups, *SHAPE), level, kind).tobytes())


def waiver(path, kind, name):
    """WAIVER file: two groups in one array, a parameter of each in a table."""
    level = 5 if name == "SCI" else 0
    primary = fits.PrimaryHDU(
        np.full((2, *SHAPE), level, kind), fits.Header([("INSTRUME", "WFPC2"), ("FILETYPE", name)])
    )
    wcs = {key: value for key, value in header().items() if isinstance(value, float | str)}
    columns = [
        fits.Column(key, "A12" if isinstance(value, str) else "D25.17", array=[value] * 2, ascii=True)
        for key, value in wcs.items()
    ]
    fits.HDUList([primary, fits.TableHDU.from_columns(columns, name="u1_cvt.c0h.tab")]).writeto(path)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files that the page names."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "night").mkdir()
    exposure(folder / "a.fits")
    exposure(folder / "b.fits", 7.0)
    for name in ("my image.fits", "odd[1].fits", "night/c.fits", "night/k_ooi_v1.fits"):
        fits.PrimaryHDU(pixels(), header()).writeto(folder / name)
    fits.PrimaryHDU(np.zeros(SHAPE, np.int16)).writeto(folder / "night" / "k_ood_v1.fits")
    good = np.ones(SHAPE, np.uint8)
    good[:5] = 0
    for name in ("m1.fits", "m2.fits"):
        fits.HDUList([fits.PrimaryHDU(good), fits.ImageHDU(good)]).writeto(folder / name)
    for name in ("j1a_flc.fits", "j1a_flt.fits", "j1b_flt.fits"):
        exposure(folder / name)
    listed = {"MEMNAME": ["J1A", "J1B", "J1X"], "MEMTYPE": ["EXP-DTH", "EXP-DTH", "PROD-DTH"]}
    columns = [fits.Column(name, "14A", array=values) for name, values in listed.items()]
    columns.append(fits.Column("MEMPRSNT", "L", array=[True, True, True]))
    fits.BinTableHDU.from_columns(columns).writeto(folder / "j1_asn.fits")
    exposure(folder / "p", versions=(1,))
    raw = (folder / "p").read_bytes()
    (folder / "p.fits.gz").write_bytes(gzip.compress(raw))
    (folder / "p.fits.bz2").write_bytes(bz2.compress(raw))
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(pixels(), header(), name="SCI")]).writeto(folder / "p.fits.fz")
    geis(folder / "u2.c0h", ">f4", "REAL*4", 2)
    geis(folder / "u2.c1h", ">i2", "INTEGER*2", 2)
    waiver(folder / "u1_c0f.fits", np.float32, "SCI")
    waiver(folder / "u1_c1f.fits", np.int16, "SDQ")
    for name, text in zip(("list.txt", "masked.txt"), blocks("text"), strict=True):
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def here(files, monkeypatch):
    """Work in the folder; it is the home folder, too, and a variable names it."""
    monkeypatch.chdir(files)
    monkeypatch.setenv("HOME", str(files))
    monkeypatch.setenv("HERE", str(files))
    return files


def value(example):
    """What an example in Python means."""
    bad = np.zeros(SHAPE, bool)
    names = {"Path": Path, "ImageSpec": ImageSpec, "Extension": Extension, "fits": fits, "CCDData": CCDData}
    names |= {
        "NDData": NDData,
        "np": np,
        "u": u,
        "data": pixels(),
        "bad": bad,
        "header": header(),
        "wcs": WCS(header()),
    }
    return eval(example, names)


def test_the_page_has_examples_of_every_kind():
    assert len(GIVEN) >= 40
    assert len(REFUSED) >= 11
    assert len(COMMANDS) >= 2
    assert len(blocks("python")) == 4
    assert len(blocks("text")) == 2
    text = "\n".join(example for example, _ in GIVEN)
    assert [form for form in FORMS if form not in text] == []


@pytest.mark.parametrize(("example", "images"), GIVEN)
@pytest.mark.filterwarnings("ignore:no unit in BUNIT")
def test_an_example_gives_the_images_that_the_page_says(here, example, images):
    given = value(example)
    session = SkyMatchSession(given, skymethod="localmin", verbose=False)
    assert list(session.members.index) == re.findall(r"\S.*?\[[A-Z]*,?\d+\](?= |$)", images)
    assert session.solve().status.tolist() == ["own sky"] * len(session.members)
    if isinstance(given, fits.HDUList):
        given.close()


@pytest.mark.parametrize(("example", "message"), REFUSED)
def test_what_the_page_calls_refused_is_refused_with_its_message(here, example, message):
    with pytest.raises(InputError) as error:
        SkyMatchSession(value(example), verbose=False).load()
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("unit", "kind"), list(unit_rows()))
def test_a_unit_is_taken_as_the_page_says(unit, kind):
    if kind.startswith("an error: "):
        with pytest.raises(UnitsError, match=kind.removeprefix("an error: ")):
            classify_unit(unit)
        return
    found = classify_unit(unit)
    assert found.data_type == kind.split(",")[0]
    assert bool(found.doubt) == ("warning" in kind)
    assert (found.flux is not None) == ("flux" in kind)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(here, capsys, command):
    program, *words = shlex.split(command)
    assert program == "skymatch-nb"
    assert main(words) == 0
    assert "b.fits[SCI,2]" in capsys.readouterr().out


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.splitlines()[-1][:20])
def test_python_blocks(here, block):
    exec(block, {})


def test_python_blocks_do_what_their_comments_say(here):
    objects, quality, alternate, masks = ({} for _ in range(4))
    for block, names in zip(blocks("python"), (objects, quality, alternate, masks), strict=True):
        exec(block, names)
    assert objects["s"].sky.sky_data.to_numpy() == pytest.approx([0, 4], abs=0.05)
    assert quality["s"].members.dq_from.tolist() == ["k_ood_v1.fits[0]"]
    assert alternate["s"].members.wcs.tolist() == ["A: SHIFTED"] * 2
    given = SkyMatchSession(["a.fits", "night/c.fits"], masks=masks["masks"], verbose=False).masks
    assert given.bad_user.tolist() == [5 * SHAPE[1], 5 * SHAPE[1], 0]


def test_the_masks_of_the_list(here):
    masks = SkyMatchSession("@list.txt", verbose=False).masks
    assert masks.bad_user.tolist() == [5 * SHAPE[1], 5 * SHAPE[1], 0, 5 * SHAPE[1], 0]


@pytest.mark.parametrize(("name", "made"), [("u1_c0f.fits", "u1_c0h.fits"), ("u2.c0h", "u2_c0h.fits")])
@pytest.mark.filterwarnings("ignore:no unit in BUNIT")
def test_apply_leaves_old_formats_alone_and_makes_the_fits_file_that_the_page_names(here, name, made):
    before = Path(name).read_bytes()
    assert f"`{made}`" in PAGE
    session = SkyMatchSession(name, skymethod="localmin", readonly=False, verbose=False)
    try:
        session.apply()
        assert Path(name).read_bytes() == before
        assert fits.getval(made, "SKYUSER", ("SCI", 1)) == pytest.approx(5)
    finally:
        Path(made).unlink(missing_ok=True)
