"""Numpy twin of `skymatch_nb.core.slopes`: a plane in each block by least squares."""

import numpy as np


def block_numbers(columns, rows, size=16):
    """Blocks of about that many pixels a side, evenly over the positions; rows first."""
    parts = []
    for at in (columns, rows):
        extent = int(np.ptp(at)) + 1
        count = max(1, round(extent / size))
        parts.append(((at - at.min()) * count // extent, count))
    return parts[1][0] * parts[0][1] + parts[0][0]


def on_planes(values, columns, rows, right, up, block_of):
    """Values moved by (right, up) along the plane of their block, clipped three times at three deviations."""
    moved = values.astype(float)
    for block in np.unique(block_of):
        own = block_of == block
        v, x, y = (a[own].astype(float) for a in (values, columns, rows))
        kept = np.ones(len(v), bool)
        for _ in range(3):
            mean, width = v[kept].mean(), 3 * v[kept].std() + 1e-9
            kept = np.abs(v - mean) <= width
        if len(v[kept]) < 3 or np.linalg.eigvalsh(np.cov(x[kept], y[kept], bias=True))[0] < 4.0:
            continue
        design = np.stack([np.ones(kept.sum()), x[kept] - x.mean(), y[kept] - y.mean()], axis=1)
        _, along, across = np.linalg.lstsq(design, v[kept], rcond=None)[0]
        moved[own] += along * right[own] + across * up[own]
    return moved
