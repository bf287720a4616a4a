"""Panels of the gallery: what is drawn of images and spectra, and how what is missing is told."""

import re

import numpy as np
import pytest
from drawn_grid import boxes_in, draw, lines, saved, texts, wavelengths
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from fmb import ConfigError, build
from fmb_viz.config import OutlierGridConfig
from fmb_viz.palette import NO_DATA


def test_missing_inputs_are_named_in_an_empty_panel(data, images, spectra):
    inputs = {"hsc": images(2), "desi": spectra(1)}
    figure = draw(data(3, inputs=inputs, rows={"hsc": [0, 2], "desi": [1]}))
    assert sorted(t for t in texts(figure) if t.startswith("no ")) == [
        "no image\nhsc",
        "no spectrum\ndesi",
        "no spectrum\ndesi",
    ]
    assert len(lines(figure, "missing")) == 3
    assert len(boxes_in(figure)) == 6


def test_inputs_without_a_good_pixel_are_said_to_have_none(data, images, spectra):
    flux = images(2).flux.copy()
    flux[0] = np.nan
    made = data(
        2,
        inputs={
            "hsc": images(2, flux=flux),
            "desi": spectra(2, ivar=np.zeros((2, 600), dtype=np.float32)),
        },
    )
    figure = draw(made)
    saved(figure)
    written = texts(figure)
    assert written.count("no good pixel\nhsc") == 1
    assert written.count("no good pixel\ndesi") == 2


def test_a_band_without_a_good_pixel_leaves_the_picture_striped_where_it_has_others(data, images):
    flux = images(1).flux.copy()
    flux[0, 0, :12] = np.nan
    figure = draw(data(1, inputs={"hsc": images(1, flux=flux)}))
    shown = figure.axes[0].images[0].get_array()
    stripes = {to_rgb(colour) for colour in NO_DATA}
    stripes = {tuple(round(255 * level) for level in colour) for colour in stripes}
    assert {tuple(colour) for colour in shown[:12].reshape(-1, 3).tolist()} == stripes
    assert any("masked or have no value" in text for text in texts(figure))


def test_masked_pixels_of_a_spectrum_are_not_drawn_as_data(data, spectra):
    flux = spectra(1).flux.copy()
    flux[0, 50:60] = 1e6
    mask = np.zeros((1, 600), dtype=bool)
    mask[0, 50:60] = True
    figure = draw(data(1, inputs={"desi": spectra(1, flux=flux, mask=mask)}))
    for gid in ("raw", "smoothed"):
        (line,) = lines(figure, gid)
        drawn = wavelengths(figure, line[np.isfinite(line[:, 0])])
        # Pixel i is at 4000 + 10 i A; half a pixel of the page is 6 A.
        assert not ((drawn > 4496) & (drawn < 4594)).any()
        assert ((drawn > 4480) & (drawn < 4496)).any()
    numbers = [float(text) for text in texts(figure) if re.fullmatch(r"\d+(\.\d+)?", text)]
    assert max(number for number in numbers if number < 4000) < 100.0


def marks(figure, gid):
    """Wavelengths of the marked lines, Angstrom."""
    found = [wavelengths(figure, line)[0] for line in lines(figure, gid)]
    return sorted(float(aa) for aa in found)


def test_lines_are_marked_at_the_catalogue_redshift(data):
    figure = draw(data(1, catalog={"redshift": 0.4}))
    emission = np.array(marks(figure, "emission"))
    for vacuum_aa in (4862.68, 4960.30, 5008.24):  # H beta and [O III]
        assert np.abs(emission - vacuum_aa * 1.4).min() < 0.02
    assert np.abs(np.array(marks(figure, "absorption")) - 5176.63 * 1.4).min() < 15  # Mg b
    assert "H β" in texts(figure)
    assert emission.min() > 3600  # Lyman alpha is at 1702 A, outside the spectrum
    assert "Ly α" not in texts(figure)


@pytest.mark.parametrize("redshift", [None, np.nan, -1.0, np.inf, "unknown"])
def test_no_line_is_marked_without_a_redshift(data, redshift):
    figure = draw(data(1, catalog={"redshift": [redshift] * 2000}))
    assert marks(figure, "emission") == []
    assert not any("common lines" in text for text in texts(figure))


def test_lines_can_be_left_out(data):
    figure = draw(data(1, catalog={"redshift": 0.4}), lines=False)
    assert marks(figure, "emission") == []


def test_axes_of_spectra_have_units(data, spectra):
    made = data(1, inputs={"deimos": spectra(1, unit="count", calibrated=False)})
    written = texts(draw(made))
    assert "wavelength (Å)" in written
    assert "flux (count, not calibrated)" in written


def test_smoothing_can_be_left_out(data):
    figure = draw(data(1), smooth_aa=0.0)
    assert lines(figure, "smoothed") == []
    assert len(lines(figure, "raw")) == 1


def test_the_scale_bar_has_the_length_it_says(data, images):
    figure = draw(data(1, inputs={"hsc": images(1, pixel_scale_arcsec=0.25)}))
    (bar,) = lines(figure, "scale-bar")
    (panel,) = boxes_in(figure)
    # 24 pixels of 0.25 arcsec are 6 arcsec; a third of that is 2.
    assert "2 arcsec" in texts(figure)
    assert np.diff(bar[:, 0]) / np.diff(panel[:, 0]) == pytest.approx(2.0 / 6.0)


@pytest.mark.parametrize(("unit", "end"), [("nJy", "bottom"), ("display", "top")])
def test_row_zero_is_at_the_bottom_but_of_display_pictures_at_the_top(data, images, unit, end):
    flux = np.ones((1, 1, 24, 24), dtype=np.float32)
    flux[0, 0, :2] = 255.0
    one = images(1, flux=flux, bands=("VIS",), band_valid=np.ones((1, 1), dtype=bool), unit=unit)
    figure = draw(data(1, inputs={"euclid": one}))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[:, :, 0]
    (low, high) = boxes_in(figure)[0] * figure.dpi
    column = int(low[0] + 0.9 * (high - low)[0])  # right of the texts in the corners
    shown = {
        name: pixels[int(low[1] + depth * (high - low)[1]), column]
        for name, depth in (("top", 0.04), ("middle", 0.5), ("bottom", 0.96))
    }
    assert [name for name, value in shown.items() if value > 200] == [end]


@pytest.mark.parametrize(
    ("read", "image", "spectrum"),
    [
        (None, "hsc z/r/g", "desi"),
        ({"hsc": ("g", "r", "z"), "desi": ()}, "hsc z/r/g", "desi"),
        ({"hsc": ("g", "r", "z")}, "hsc z/r/g", "desi (not seen by the model)"),
        ({"desi": ()}, "hsc z/r/g (not seen by the model)", "desi"),
        ({"hsc": ("r",), "desi": ()}, "hsc z/r/g (z, g not seen by the model)", "desi"),
    ],
)
def test_what_the_model_was_not_given_is_marked(data, read, image, spectrum):
    written = [text.replace("\n", " ") for text in texts(draw(data(1, read=read)))]
    assert {image, spectrum} <= set(written)


def test_chosen_bands_are_shown_and_named(data, images):
    made = data(1, inputs={"hsc": images(1, bands=("g", "r", "i", "z"))})
    assert "hsc z/r/g" in texts(draw(made))
    assert "hsc i" in texts(draw(made, bands={"hsc": ("i",)}))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bands": {"hcs": ("g",)}}, "no images of 'hcs'; did you mean 'hsc'"),
        ({"bands": {"desi": ("g",)}}, "no images of 'desi'"),
        ({"bands": {"hsc": ("q",)}}, "bands.hsc: no band 'q'; choose from g, r, z"),
        ({"facts": ("redshfit",)}, "no column 'redshfit'; did you mean 'redshift'"),
    ],
)
def test_what_the_survey_does_not_have_is_refused_with_a_hint(data, options, message):
    with pytest.raises(ConfigError, match=message):
        draw(data(1, catalog={"redshift": 0.1}), **options)


@pytest.mark.parametrize("names", [[], ["g", "g"], ["u", "g", "r", "i"]])
def test_a_picture_has_one_to_three_bands(names):
    with pytest.raises(ConfigError, match="one, two or three different bands for hsc"):
        build(OutlierGridConfig, {"bands": {"hsc": names}}, "plot.outlier-grid")
