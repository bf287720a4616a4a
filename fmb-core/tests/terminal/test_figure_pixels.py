"""Figures as pixels, whatever their size."""

import io

import pytest
from PIL import Image

from fmb.terminal import own_style
from fmb.terminal.figure_style import pixels


@pytest.mark.parametrize("inches", [2.26, 2.28, 2.76, 4.9, 2.25, 2.0])
def test_a_page_of_any_width_becomes_as_many_pixels(inches):
    with own_style():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(inches, inches))
        FigureCanvasAgg(figure)
        size = Image.open(io.BytesIO(pixels(figure, 150))).size
    whole = int(round(inches * 150, 6))  # a part of a dot is none
    assert size == (whole, whole)
