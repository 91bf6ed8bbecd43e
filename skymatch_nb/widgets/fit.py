"""Figures made to fit the column of a panel."""

from bokeh.model import Model
from bokeh.models import GridPlot
from bokeh.plotting import figure

COLUMN = 560
"""Width in pixels that a figure may have, axes included, where the page does not tell its own."""

BESIDE_FRAMES = 265
"""Pixels that labels, color bar and toolbar take beside the frames of a figure."""

BETWEEN_FRAMES = 25
"""Pixels between the frames of a grid."""

NARROWEST = 0.4
"""Share of their width down to which frames are made smaller."""


def fit(model: Model, width: int = COLUMN) -> Model:
    """Make the frames of a figure, or of those of a grid, smaller where they are too wide; maps keep their shape."""
    plots = [child[0] for child in model.children] if isinstance(model, GridPlot) else [model]
    columns: dict[int, int] = {}
    for place, plot in enumerate(plots):
        column = model.children[place][2] if isinstance(model, GridPlot) else 0
        if isinstance(plot, figure) and plot.frame_width is not None:
            columns[column] = max(columns.get(column, 0), plot.frame_width)
    frames, beside = sum(columns.values()), BESIDE_FRAMES + BETWEEN_FRAMES * (len(columns) - 1)
    if not frames or frames + beside <= width:
        return model
    scale = max((width - beside) / frames, NARROWEST)
    for plot in plots:
        if not isinstance(plot, figure) or plot.frame_width is None:
            continue
        plot.frame_width = int(scale * plot.frame_width)
        if plot.name == "footprints" or "preview" in (plot.name or "") or plot.name == "graph":
            plot.frame_height = int(scale * plot.frame_height)
    return model
