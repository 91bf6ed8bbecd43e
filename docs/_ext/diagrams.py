"""Draw the diagrams of the docs' pages, so that pages need no script of another site.

    python docs/_ext/diagrams.py

draws every diagram that has no picture yet (with mermaid from the npm registry and the machine's Chromium), and removes
pictures of diagrams that are no more. A diagram without a picture is shown as its text.
"""

import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

DOCS = Path(__file__).parents[1]
PICTURES = DOCS / "images" / "diagrams"
MERMAID = "mermaid@11"

_BLOCK = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)

_PAGE = """<!doctype html><meta charset="utf-8"><script src="mermaid.min.js"></script><script>
mermaid.initialize({startOnLoad: false, theme: "neutral", htmlLabels: false, flowchart: {htmlLabels: false}})
const draw = async (text) => (await mermaid.render("diagram", text)).svg
</script>"""


def name_of(diagram: str) -> str:
    """Name of a diagram's picture: that of its text, so that a changed diagram has no picture."""
    return hashlib.sha256(diagram.encode()).hexdigest()[:12] + ".svg"


def with_pictures(page: str) -> str:
    """Text of a page with the pictures of its diagrams in place of those that have one."""

    def picture(found: re.Match[str]) -> str:
        path = PICTURES / name_of(found[1])
        if not path.exists():
            return f"```text\n{found[1]}```"
        return f"```{{image}} /images/diagrams/{path.name}\n:alt: {_in_words(found[1])}\n:class: diagram\n```"

    return _BLOCK.sub(picture, page)


def _in_words(diagram: str) -> str:
    names = dict.fromkeys(re.findall(r"\b([a-z_]{3,})\b(?=\s*(?:-->|-\.->|\[))", diagram))
    return f"Diagram of {', '.join(names)}"


def draw_missing() -> list[Path]:
    """Draw what has no picture, and remove what is of no use any more; return what was drawn."""
    from playwright.sync_api import sync_playwright

    from skymatch_nb.plots.export import installed_browser

    diagrams = {name_of(d): d for page in sorted(DOCS.rglob("*.md")) for d in _BLOCK.findall(page.read_text("utf-8"))}
    PICTURES.mkdir(parents=True, exist_ok=True)
    for path in PICTURES.glob("*.svg"):
        if path.name not in diagrams:
            path.unlink()
    missing = [name for name in diagrams if not (PICTURES / name).exists()]
    if not missing:
        return []
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        subprocess.run(["npm", "pack", "--silent", MERMAID], cwd=scratch, check=True, stdout=subprocess.DEVNULL)
        (packed,) = Path(scratch).glob("*.tgz")
        with tarfile.open(packed) as archive:
            archive.extractall(scratch, filter="data")
        dist = Path(scratch) / "package" / "dist"
        (dist / "page.html").write_text(_PAGE, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=installed_browser(), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto((dist / "page.html").as_uri())
        for name in missing:
            (PICTURES / name).write_text(page.evaluate("(text) => draw(text)", diagrams[name]) + "\n", encoding="utf-8")
        browser.close()
    return [PICTURES / name for name in missing]


if __name__ == "__main__":
    sys.path.insert(0, str(DOCS.parent))
    for drawn in draw_missing():
        print(drawn)
