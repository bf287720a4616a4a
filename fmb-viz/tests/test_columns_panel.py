"""Photometry in the gallery: a point a band, where its flux and wavelength are."""

import numpy as np
import pytest
from drawn_grid import boxes_in, draw, small_print, texts

from fmb import Columns

WAVE = (4800.0, 9000.0, 6400.0)
FLUX = np.array([[1.0, 4.0, 2.0], [np.nan, 5.0, -1.0], [np.nan, np.inf, np.nan]], dtype="f4")


def columns(**changes):
    values = {
        "values": FLUX,
        "names": ("g", "z", "r"),
        "units": ("nJy",) * 3,
        "errors": np.full((3, 3), 0.5, dtype="f4"),
        "wavelength_aa": WAVE,
    }
    return Columns(**(values | changes))


def drawn(figure, name):
    """Middles of what was drawn under a name, (k, 2), in inches from the top left corner."""
    found = [one for one in figure.findobj() if getattr(one, "get_gid", str)() == name]
    paths = [path.vertices for one in found for path in one.get_paths()]
    return np.array([0.5 * (p.min(axis=0) + p.max(axis=0)) for p in paths if len(p) > 3])


def test_each_band_has_a_point_at_its_wavelength_and_flux(data, images):
    figure = draw(data(1, inputs={"hsc": images(1), "phot": columns().take([0])}))
    x, y = drawn(figure, "photometry").T
    # From 4800 over 6400 to 9000 Angstrom, and from 1 over 2 to 4 nJy, upwards.
    assert np.isclose((x[1] - x[0]) / (x[2] - x[0]), 1600 / 4200)
    assert np.isclose((y[1] - y[0]) / (y[2] - y[0]), 1 / 3)
    assert y[2] < y[0]


def test_photometry_is_a_panel_beside_the_others_and_says_its_unit(data, images, spectra):
    inputs = {"phot": columns().take([0, 1]), "hsc": images(2), "desi": spectra(2)}
    figure = draw(data(2, inputs=inputs))
    assert len(boxes_in(figure)) == 2 * 3
    written = " ".join(map(str, [*texts(figure), *small_print(figure)]))
    assert "flux (nJy)" in written
    assert "Photometry: the value in each band at its wavelength, with its error." in written


def test_bands_without_a_value_have_no_point(data):
    assert len(drawn(draw(data(2, inputs={"phot": columns().take([0, 1])})), "photometry")) == 5


def test_objects_without_photometry_say_so(data):
    inputs = {"phot": columns().take([0, 2])}
    figure = draw(data(3, inputs=inputs, rows={"phot": [0, 2]}))
    written = " ".join(map(str, small_print(figure)))
    assert r"no photometry\nphot" in written
    assert r"no value\nphot" in written


@pytest.mark.parametrize(
    "changes", [{"wavelength_aa": ()}, {"units": ("nJy", "mag", "nJy")}], ids=str
)
def test_columns_that_are_no_fluxes_in_bands_have_no_panel(data, images, changes):
    inputs = {"hsc": images(1), "phot": columns(**changes).take([0])}
    assert len(boxes_in(draw(data(1, inputs=inputs)))) == 1


def test_one_band_alone_is_drawn(data):
    one = columns(values=FLUX[:1, :1], names=("g",), units=("nJy",), errors=None,
                  wavelength_aa=(4800.0,))  # fmt: skip
    assert len(drawn(draw(data(1, inputs={"phot": one})), "photometry")) == 1
