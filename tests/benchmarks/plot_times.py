"""Put what `run_benchmarks.py --json FILE` has kept into docs/performance.md: tables between their marks, a picture.

python tests/benchmarks/plot_times.py FILE --docs docs
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bokeh.models import FixedTicker
from bokeh.plotting import figure
from page_blocks import put_blocks

from skymatch_nb.plots.export import figure_picture
from skymatch_nb.plots.theme import theme_named

LIGHT = theme_named("light")
SCALED = ("9", "36", "144", "576")
"""Mosaics of the same number of pixels."""
LOOKS = {"reference": ("square", "#777777"), "skymatch_nb": ("circle", LIGHT.after)}

Points = list[tuple[int, float]]


def points_of(kind: Mapping[str, Any]) -> dict[str, Points]:
    """Number of exposures and seconds, of the reference (where it ran) and of ours."""
    scaled = [m for m in kind["measured"] if m["scene"]["name"] in SCALED and m["skymethod"] == "match"]
    theirs = [(m["exposures"], m["reference_seconds"]) for m in scaled if m["reference_seconds"] is not None]
    return {"reference": theirs, "skymatch_nb": [(m["exposures"], m["ours"]) for m in scaled]}


def slope(points: Points) -> float:
    """Power of the number of exposures that the last two times have between them."""
    (few, fast), (many, slow) = points[-2:]
    return math.log(slow / fast) / math.log(many / few)


def draw_times(path: Path, series: Mapping[str, Points]) -> None:
    """Time against the number of exposures, both logarithmic."""
    numbers = sorted({number for points in series.values() for number, _ in points})
    plot = figure(
        width=760,
        height=430,
        x_axis_type="log",
        y_axis_type="log",
        title="From files to levels: the same pixels in more and smaller exposures",
        toolbar_location=None,
    )
    plot = LIGHT.dress(plot)
    plot.title.text_font_size = "14px"
    plot.xaxis.axis_label, plot.yaxis.axis_label = "exposures", "time [s]"
    plot.xaxis.ticker = FixedTicker(ticks=numbers)
    plot.xaxis.major_label_overrides = {number: str(number) for number in numbers}
    plot.axis.axis_label_text_font_size = plot.axis.major_label_text_font_size = "13px"
    for name, points in series.items():
        marker, color = LOOKS[name]
        x, y = zip(*points, strict=True)
        label = f"{name}: at the end as N to the {slope(points):.1f}"
        plot.line(x, y, color=color, line_width=2.5, legend_label=label)
        plot.scatter(x, y, marker=marker, size=10, color=color, legend_label=label)
    plot.legend.location = "top_left"
    plot.legend.label_text_font_size = "13px"
    LIGHT.dress_bar(plot.legend[0])
    path.write_bytes(figure_picture(plot, scale=1.5))


def blocks_of(told: Mapping[str, Any]) -> dict[str, str]:
    """Text of every block of the page by its name."""
    blocks = {"environment": "\n".join(told["environment"]), "required": told["required"]}
    for kind, about in told["kinds"].items():
        blocks |= {f"{kind} {name}": table for name, table in about["tables"].items()}
    return blocks


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Tables and picture of docs/performance.md.")
    parser.add_argument("results", type=Path, metavar="FILE", help="what run_benchmarks.py --json has kept")
    parser.add_argument("--docs", type=Path, required=True, metavar="DIR", help="folder with performance.md")
    options = parser.parse_args(arguments)
    told = json.loads(options.results.read_text(encoding="utf-8"))
    points = points_of(next(iter(told["kinds"].values())))
    if not told["complete"] or any(len(of_one) < 2 for of_one in points.values()):
        parser.error(f"{options.results}: the page needs a whole run with the reference, without --quick and --only")
    draw_times(options.docs / "images" / "performance-times.png", points)
    put_blocks(options.docs / "performance.md", blocks_of(told))


if __name__ == "__main__":
    main()
