import io

import numpy as np
import pytest
from PIL import Image

from fmb.terminal.png import png_bytes


def picture(alpha):
    made = np.random.default_rng(0).integers(0, 256, (7, 5, 4), dtype=np.uint8)
    made[..., 3] = alpha
    return made


@pytest.mark.parametrize(("alpha", "mode"), [(255, "RGB"), (254, "RGBA"), (0, "RGBA")])
def test_another_reader_finds_each_pixel_where_it_was(alpha, mode):
    read = Image.open(io.BytesIO(png_bytes(picture(alpha), 150)))
    assert read.mode == mode
    assert np.array_equal(np.asarray(read.convert("RGBA")), picture(alpha))


def test_a_file_says_how_many_pixels_are_an_inch():
    read = Image.open(io.BytesIO(png_bytes(picture(255), 150)))
    assert read.info["dpi"] == pytest.approx((150, 150), abs=0.02)  # whole pixels a metre
    assert set(read.info) == {"dpi"}


def test_a_page_of_flat_colours_and_lines_is_smaller_than_filtered():
    page = np.full((600, 400, 4), 255, dtype=np.uint8)
    for at in np.random.default_rng(0).integers(0, 390, 300):
        page[at : at + 200, at % 390 : at % 390 + 3, :3] = at % 255
    filtered = io.BytesIO()
    Image.fromarray(page).save(filtered, "png", compress_level=3)
    assert len(png_bytes(page, 150)) < len(filtered.getvalue())
