"""The page of one object of a survey: drawn as the gallery draws it, without any run."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from drawn_grid import boxes_in, lines, texts
from matplotlib.collections import PolyCollection
from matplotlib.image import AxesImage

from fmb import Batch, ConfigError, DataError, Note, PlotData
from fmb_viz.config import ObjectPageConfig
from fmb_viz.object_page import ObjectPage


@dataclass(frozen=True)
class Objects:
    ids: np.ndarray
    catalog: pd.DataFrame
    batch: Batch

    def __len__(self):
        return len(self.ids)

    def read(self, rows, inputs=None):
        return self.batch.take(rows)


@pytest.fixture
def one(images, spectra):
    """One object that lacks the input `hst`; pixels 100 to 149 of its spectrum are bad."""
    mask = np.zeros((1, 600), dtype=bool)
    mask[0, 100:150] = True
    ids = np.array([39_633_345_008_000_001])
    inputs = {"hsc": images(1), "hst": images(1).take(np.arange(0)), "desi": spectra(1, mask=mask)}
    rows = {"hsc": np.array([0]), "hst": np.array([], dtype=int), "desi": np.array([0])}
    batch = Batch(ids=ids, inputs=inputs, rows=rows)
    catalog = pd.DataFrame({"redshift": [0.25], "mag_r": [19.5], "snr": [7.0]})
    notes = [Note("data", "levels mean nothing")]
    return PlotData("mysurvey", notes, (), survey=Objects(ids, catalog, batch))


def draw(data, **options):
    return ObjectPage(ObjectPageConfig(**options)).draw(data)


def test_an_object_has_a_panel_an_input_and_what_was_not_observed_says_so(one):
    figure = draw(one)
    assert len(boxes_in(figure)) == 3
    assert len(figure.findobj(AxesImage)) == 1
    written = texts(figure)
    assert "39633345008000001" in written
    assert "redshift 0.25    mag_r 19.5" in written
    assert "no image\nhst" in written
    assert "levels mean nothing" in written
    assert not any("rank" in text or "score" in text or text.startswith("#") for text in written)


def test_the_scale_bar_is_as_long_as_it_says(one):
    figure = draw(one)  # 24 pixels of 0.25 arcsec are 6 arcsec
    assert "2 arcsec" in texts(figure)
    (bar,) = lines(figure, "scale-bar")
    low, high = boxes_in(figure)[0]
    assert np.ptp(bar[:, 0]) == pytest.approx((high - low)[0] * 2 / 6)


def test_bad_pixels_of_the_spectrum_are_marked(one):
    lost = [area for area in draw(one).findobj(PolyCollection) if area.get_gid() == "no-data"]
    assert len(lost) == 1
    assert len(lost[0].get_paths()) == 1


def test_what_is_written_can_be_chosen_and_must_be_there(one):
    assert "snr 7" in texts(draw(one, facts=("snr",)))
    with pytest.raises(ConfigError, match=r"object-page\.facts: .* no column 'snt'.*snr"):
        draw(one, facts=("snt",))


def test_anything_else_than_one_object_is_refused(one):
    with pytest.raises(DataError, match="one object of a survey"):
        draw(replace(one, survey=None))
