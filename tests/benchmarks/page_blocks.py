"""Blocks of a page in docs that benchmarks renew, each between two marks."""

import re
from collections.abc import Mapping
from pathlib import Path


def put_blocks(page: Path, blocks: Mapping[str, str]) -> None:
    """Replace each block, by its name; nothing is written where the page does not have it exactly once."""
    text = page.read_text(encoding="utf-8")
    for name, block in blocks.items():
        mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, count = mark.subn(lambda found, block=block: f"{found[1]}\n{block}\n\n{found[2]}", text)
        if count != 1:
            raise SystemExit(f"{page}: needs one block '<!-- {name} -->', has {count}")
    page.write_text(text, encoding="utf-8")
