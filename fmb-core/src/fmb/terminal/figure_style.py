"""Matplotlib as it comes, whatever the user has set it up to be: a figure is the same for all."""

import contextlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb.terminal.png import png_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["own_style", "pixels", "shown_in_notebook"]

OURS = {"text.hinting": "no_hinting"}
"""What differs from matplotlib's own: at 150 dots an inch letters that are fitted to the pixels are
no clearer, stand unevenly, reach beyond the width they were measured by and take twice as long."""


@contextlib.contextmanager
def own_style(more: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Within the block matplotlib has its own settings and `OURS`; after it, those of before.

    Files of settings (`MATPLOTLIBRC`), styles and `MPLBACKEND` are not what a figure is made from:
    it is kept by what its key says, and must be the same for whoever draws it.

    Args:
        more: settings besides.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    _load()
    import matplotlib

    settings: Any = matplotlib.rcParams  # whose keys are typed by some versions only
    own: Any = matplotlib.rcParamsDefault
    with matplotlib.rc_context():
        with warnings.catch_warnings():  # of settings that matplotlib will drop some day
            warnings.simplefilter("ignore", matplotlib.MatplotlibDeprecationWarning)
            # The backend stays: it shows windows, and asking for an undecided one imports pyplot.
            settings.update({key: value for key, value in own.items() if key != "backend"})
            settings.update({**OURS, **(more or {})})
        yield


def _load() -> None:
    """Import matplotlib; what stands in its way, or is said then, concerns windows and caches."""
    if "matplotlib" in sys.modules:
        return
    logger, backend = logging.getLogger("matplotlib"), os.environ.pop("MPLBACKEND", None)
    level = logger.level
    logger.setLevel(logging.ERROR)  # not of a folder for its caches that cannot be written
    try:
        import matplotlib
        import matplotlib.font_manager
    finally:
        logger.setLevel(level)
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if backend:
        # As matplotlib does, for who shows figures of his own; it refuses that of a notebook where
        # it is not installed, of which a command in a cell has no need.
        settings: Any = matplotlib.rcParams
        with contextlib.suppress(ValueError):
            settings["backend"] = backend


def shown_in_notebook(figure: "Figure") -> "Figure":
    """The figure, which Jupyter shows where it is the last thing in a cell.

    Of itself it does so only where pyplot was set up, which a library must not do.
    """
    vars(figure)["_repr_png_"] = partial(_png, figure)
    return figure


def _png(figure: "Figure") -> bytes:
    with own_style():
        return pixels(figure, figure.dpi)


def pixels(figure: "Figure", dpi: float) -> bytes:
    """A figure as a PNG file; to be called within `own_style`, as `Figure.savefig` is.

    Packing it as matplotlib does takes longer than drawing half of it.

    Args:
        figure: it is drawn at `dpi` from then on.
        dpi: pixels an inch.
    """
    figure.set_dpi(dpi)
    body = io.BytesIO()
    figure.savefig(body, format="rgba", dpi=dpi)
    # 2.26 inches are 338.99999999999994 dots here and the 339 that they are where it is drawn.
    width, height = (int(size + 1e-6) for size in figure.bbox.size)
    rgba = np.frombuffer(body.getbuffer(), dtype=np.uint8).reshape(height, width, 4)
    return png_bytes(rgba, dpi)
