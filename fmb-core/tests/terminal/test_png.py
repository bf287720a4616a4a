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
