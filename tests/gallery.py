"""Draw every figure for fields that are hard to draw, as pages and, where asked, as pictures to look at.

    python tests/gallery.py FOLDER [--pictures] [--only NAME] [--docs docs/images]

``--docs`` renews the pictures of docs/gallery.md.
"""

import argparse
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from astropy.io import fits

from skymatch_nb import SkyMatchSession, SkyMatchWarning
from skymatch_nb.datasets import demo_mosaic, make_mosaic
from skymatch_nb.plots.export import figure_picture, installed_browser

WILD = (
    "<script>alert('x')</script>.fits",
    'a "quoted" $$x^2$$ & \\[y\\].fits',
    f"{'a_name_of_eighty_characters_' * 3}"[:75] + ".fits",
    "<img src=x onerror=alert(1)>.fits",
)
"""Names that would do harm where they are not escaped (a slash is not possible in the name of a file)."""

SMALL = {"shape": (96, 192), "overlap": 0.3, "stars": 10}

Field = Callable[[Path], list[Path]]


def demo(folder: Path) -> list[Path]:
    return list(demo_mosaic(folder).paths)


def split(folder: Path) -> list[Path]:
    return list(make_mosaic(folder, rows=2, cols=4, separate=(6, 7), seed=3, **SMALL).paths)


def lonely(folder: Path) -> list[Path]:
    """One exposure far from all others, and one whose pixels are all flagged."""
    paths = list(make_mosaic(folder, rows=2, cols=3, separate=(5,), seed=4, **SMALL).paths)
    with fits.open(paths[1], mode="update") as hdus:
        for version in (1, 2):
            hdus["DQ", version].data[:] = 4
    return paths


def across_zero(folder: Path) -> list[Path]:
    return list(make_mosaic(folder, rows=2, cols=3, center=(0.0, 0.001), seed=5, **SMALL).paths)


def pole(folder: Path) -> list[Path]:
    """A field of 13 arcmin around dec +89.9, the pole inside."""
    return list(
        make_mosaic(folder, rows=3, cols=3, center=(40.0, 89.96), pixel_scale=2.0, seed=6, galaxy=False, **SMALL).paths
    )


def many(folder: Path) -> list[Path]:
    """400 members."""
    return list(
        make_mosaic(folder, rows=20, cols=20, chips=1, shape=(64, 64), overlap=0.3, stars=3, galaxy=False, seed=7).paths
    )


def wild_names(folder: Path) -> list[Path]:
    paths = make_mosaic(folder, rows=2, cols=2, seed=8, **SMALL).paths
    return [path.rename(path.with_name(name.replace("/", "_"))) for path, name in zip(paths, WILD, strict=True)]


FIELDS: dict[str, Field] = {f.__name__: f for f in (demo, split, lonely, across_zero, pole, many, wild_names)}


def figures(session: SkyMatchSession, theme: str) -> Iterator[tuple[str, object]]:
    """Every figure of a session, by name."""
    yield "footprints", session.plot_footprints(theme=theme)
    yield "status", session.plot_footprints("status", theme=theme)
    yield "images", session.plot_footprints("group", images=True, theme=theme)
    yield "sky", session.plot_sky(theme=theme)
    yield "residuals", session.plot_residuals(theme=theme)
    yield "graph", session.plot_graph(theme=theme)
    yield "overlap", session.plot_samples(0, theme=theme)
    yield "member", session.plot_samples(session.members.index[1 if len(session.members) < 13 else 0], theme=theme)
    yield "preview", session.plot_preview(theme=theme)


def open_field(name: str, folder: Path) -> SkyMatchSession:
    """Session of a field, its files made where they are not there."""
    place = folder / "data" / name
    paths = sorted(place.glob("*.fits")) if place.is_dir() else FIELDS[name](place)
    return SkyMatchSession([Path(p) for p in paths], skymethod="match", skystat="median", verbose=False)


def make(folder: Path, names: list[str], themes: tuple[str, ...] = ("light", "dark")) -> dict[str, Path]:
    """Write every figure and report of some fields; return the pages by name."""
    pages = {}
    for name in names:
        session = open_field(name, folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SkyMatchWarning)
            for theme in themes:
                for kind, shown in figures(session, theme):
                    key = f"{name}-{kind}-{theme}"
                    pages[key] = session.save_figure(shown, folder / f"{key}.html")
            pages[f"{name}-report"] = session.report(folder / f"{name}-report.html")
    return pages


def photograph(pages: dict[str, Path]) -> None:
    """Write a picture beside every page, and tell what its console says."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed_browser(), args=["--no-sandbox"])
        for key, path in pages.items():
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            said: set[str] = set()
            page.on("console", lambda m, said=said: said.add(m.text))
            page.on("pageerror", lambda e, said=said: said.add(str(e)))
            page.goto(path.as_uri())
            page.wait_for_function("window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle")
            page.wait_for_timeout(200)
            page.screenshot(path=path.with_suffix(".png"), full_page=True)
            page.close()
            for text in sorted(said):
                if not text.startswith("[bokeh"):
                    print(f"{key}: {text[:200]}")
        browser.close()


def renew_docs(folder: Path, images: Path) -> None:
    """Write the pictures of docs/gallery.md."""
    demo, lonely, pole = (open_field(name, folder) for name in ("demo", "lonely", "pole"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkyMatchWarning)
        for session in (demo, lonely, pole):
            session.solve()
    chosen = {
        "footprints": demo.plot_footprints(),
        "images": demo.plot_footprints("component", images=True, theme="dark"),
        "sky": demo.plot_sky(),
        "residuals": demo.plot_residuals(),
        "graph": demo.plot_graph(),
        "samples": demo.plot_samples(0),
        "preview": demo.plot_preview(theme="dark"),
        "status": lonely.plot_footprints("status"),
        "pole": pole.plot_footprints(),
    }
    for name, shown in chosen.items():
        (images / f"{name}.png").write_bytes(figure_picture(shown, scale=1.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", action="store_true", help="photograph every page")
    parser.add_argument("--only", choices=FIELDS, nargs="*", default=list(FIELDS))
    parser.add_argument("--docs", type=Path, help="renew the pictures of docs/gallery.md in this folder")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.docs:
        renew_docs(options.folder, options.docs)
        return
    pages = make(options.folder, options.only)
    if options.pictures:
        photograph(pages)
    print(f"{len(pages)} pages in {options.folder}")


if __name__ == "__main__":
    main()
