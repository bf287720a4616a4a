"""A gallery, and what is found on its page."""

import io

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.text import Text

from fmb_viz.config import OutlierGridConfig
from fmb_viz.lettering import SmallPrint
from fmb_viz.outlier_grid import OutlierGrid


def draw(data, **options):
    return OutlierGrid(OutlierGridConfig(**options)).draw(data)


def texts(figure):
    large = [text.get_text() for text in figure.findobj(Text) if text.get_text()]
    return large + [text for print in figure.findobj(SmallPrint) for text in print.texts]


def small_print(figure):
    """Text and extent on the page of each, inches from its top left corner."""
    return [
        (text, path.get_extents())
        for print in figure.findobj(SmallPrint)
        for text, path in zip(print.texts, print.get_paths(), strict=True)
    ]


def lines(figure, gid):
    """Points of each line, inches from the top left corner of the page; NaN breaks a line."""
    return [
        path.vertices
        for drawn in figure.findobj(LineCollection)
        if drawn.get_gid() == gid
        for path in drawn.get_paths()
    ]


def saved(figure, ending="png"):
    when = {"png": {"Software": None}, "pdf": {"CreationDate": None}}[ending]
    buffer = io.BytesIO()
    figure.savefig(buffer, format=ending, metadata=when, facecolor="white", edgecolor="white")
    return buffer.getvalue()


def boxes_in(figure):
    """Least and greatest x and y of each panel, inches from the top left corner of the page."""
    edges = [*lines(figure, "frame"), *lines(figure, "missing")]
    return [np.array([edge.min(axis=0), edge.max(axis=0)]) for edge in edges]


def wavelengths(figure, points):
    """Of points of the only spectrum on a page, 4000 to 9990 A."""
    (low, high) = boxes_in(figure)[-1]
    return 4000.0 + (points[:, 0] - low[0]) / (high - low)[0] * 5990.0
