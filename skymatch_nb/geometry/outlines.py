"""Outlines of images on the sky, with as many vertices as their distortion needs."""

import numpy as np
import shapely
from numpy.typing import NDArray

from skymatch_nb.errors import GeometryError
from skymatch_nb.geometry.sphere import angle, deproject, project, ring_areas, to_vectors
from skymatch_nb.results import Bounds, Floats, Outline, SkyPolygon, SkyTransform

EDGE_TOLERANCE = 0.05
"""Largest distance in pixels between a member's true edge and its outline."""


def trace_outline(transform: SkyTransform, shape: tuple[int, int]) -> Outline:
    """Outline of an image of ``shape`` (ny, nx), with as many vertices as its distortion needs.

    It ends at the bounds of the transform, where it has some.

    Raises
    ------
    GeometryError
        Where its edge is not on the sky or reaches further than 85 degrees from its centre, or no pixel is within the
        bounds.
    """
    x0, x1, y0, y1 = bounds = image_bounds(transform, shape)
    for intervals in (64, 512, 2048):
        x, y = _test_lines(bounds, intervals)
        xs, ys = np.append(x, (x0 + x1) / 2), np.append(y, (y0 + y1) / 2)
        vectors = _vectors_of(transform, xs, ys)
        center = vectors[-1]
        plane = project(vectors[:-1], center).reshape(*x.shape, 2)
        pixel = _smallest_pixel(plane, x, y)
        stride, reached = _longest_stride(plane, EDGE_TOLERANCE * pixel)
        if reached:
            break
    xs, ys = x[:4, :-1:stride].ravel(), y[:4, :-1:stride].ravel()
    corners = plane[:4, ::stride]
    vectors = deproject(corners[:, :-1].reshape(-1, 2), center)
    middle = vectors.sum(axis=0)
    middle /= np.linalg.norm(middle)
    chords = np.linalg.norm(np.diff(corners, axis=1), axis=2)
    straight = float(chords[chords > pixel].min(initial=chords.max()))
    apart = np.linalg.norm(vectors - np.roll(vectors, 1, axis=0), axis=1) > 1e-3 * pixel
    return _outline(xs[apart], ys[apart], vectors[apart], middle, straight)


def trace_ring(transform: SkyTransform, x: Floats, y: Floats, frame: Outline) -> Outline:
    """Outline of part of an image: a ring in 0-based pixels, not closed, inside the image's own outline ``frame``.

    Raises
    ------
    GeometryError
        Where the ring is not on the sky.
    """
    pixel = np.sqrt(frame.area / (np.ptp(frame.x) * np.ptp(frame.y)))
    dense = shapely.segmentize(shapely.LinearRing(np.column_stack([x, y])), 0.9 * frame.straight / pixel)
    xs, ys = np.asarray(dense.coords)[:-1].T
    vectors = _vectors_of(transform, xs, ys)
    middle = vectors.sum(axis=0)
    return _outline(xs.copy(), ys.copy(), vectors, middle / np.linalg.norm(middle), frame.straight)


def outline_polygon(outline: Outline) -> SkyPolygon:
    """Return a member's outline as a polygon of one ring."""
    return SkyPolygon(outline.vectors, np.array([0, len(outline.vectors)]))


def within_bounds(transform: SkyTransform, shape: tuple[int, int]) -> NDArray[np.bool_] | None:
    """Image of the pixels whose centres the bounds of a transform leave; None where these are all."""
    if transform.bounds is None:
        return None
    x0, x1, y0, y1 = transform.bounds
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1))


def image_bounds(transform: SkyTransform, shape: tuple[int, int]) -> Bounds:
    """Edges of an image of ``shape`` (ny, nx), or of the part that the bounds of its transform leave.

    Raises
    ------
    GeometryError
        Where these leave nothing.
    """
    ny, nx = shape
    x0, x1, y0, y1 = transform.bounds or (-0.5, nx - 0.5, -0.5, ny - 0.5)
    within = max(x0, -0.5), min(x1, nx - 0.5), max(y0, -0.5), min(y1, ny - 0.5)
    if not (within[0] < within[1] and within[2] < within[3]):
        raise GeometryError(f"no pixel lies in the bounding box of its WCS, x {x0:g} to {x1:g} and y {y0:g} to {y1:g}")
    return within


def _vectors_of(transform: SkyTransform, x: Floats, y: Floats) -> Floats:
    vectors = to_vectors(*transform.to_sky(x, y))
    if not np.isfinite(vectors).all():
        raise GeometryError("part of the image's edge is not on the sky")
    return vectors


def _outline(x: Floats, y: Floats, vectors: Floats, center: Floats, straight: float) -> Outline:
    area = abs(float(ring_areas(vectors, np.array([0, len(vectors)]))[0]))
    return Outline(x, y, vectors, center, float(angle(vectors, center).max()), straight, area)


def _test_lines(bounds: Bounds, intervals: int) -> tuple[Floats, Floats]:
    """Eight lines across an image, shape (8, intervals + 1): its four sides in turn, then a cross and the diagonals."""
    x0, x1, y0, y1 = bounds
    xm, ym = (x0 + x1) / 2, (y0 + y1) / 2
    ends = np.array(
        [
            [x0, y0, x1, y0], [x1, y0, x1, y1], [x1, y1, x0, y1], [x0, y1, x0, y0],
            [xm, y0, xm, y1], [x0, ym, x1, ym], [x0, y0, x1, y1], [x0, y1, x1, y0],
        ]
    )  # fmt: skip
    t = np.linspace(0, 1, intervals + 1)
    return ends[:, :1] * (1 - t) + ends[:, 2:3] * t, ends[:, 1:2] * (1 - t) + ends[:, 3:] * t


def _smallest_pixel(plane: Floats, x: Floats, y: Floats) -> float:
    """Smallest size of a pixel along test lines, in radians; lines that the sky draws into a point do not count."""
    length = np.hypot(*np.moveaxis(np.diff(plane, axis=1), 2, 0))
    pixels = np.hypot(np.diff(x, axis=1), np.diff(y, axis=1))
    size = (length / pixels)[length > 1e-6 * np.median(length)]
    return float(size.min())


def _longest_stride(plane: Floats, tolerance: float) -> tuple[int, bool]:
    """Longest stride, a power of 2, whose chords stay within the tolerance of the lines (8, n + 1, 2) between.

    False tells that even the lines' own points may be too far apart: the chords over two of them deviate by
    four times what those over one do.
    """
    stride = plane.shape[1] - 1
    while stride > 1 and _chord_deviation(plane, stride) > 0.8 * tolerance:
        stride //= 2
    return stride, stride > 1 or _chord_deviation(plane, 2) / 4 < 0.8 * tolerance


def _chord_deviation(plane: Floats, stride: int) -> float:
    x, y = plane[..., 0], plane[..., 1]
    along_x, along_y = (v[:, stride::stride, None] - v[:, :-1:stride, None] for v in (x, y))
    x, y = (v[:, :-1].reshape(len(v), -1, stride) - v[:, :-1:stride, None] for v in (x, y))
    cross = np.abs(along_x * y - along_y * x)
    length = np.hypot(along_x, along_y)
    if length.all():
        return float((cross / length).max())
    return float(np.divide(cross, length, out=np.hypot(x, y), where=length > 0).max())
