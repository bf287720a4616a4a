"""Planting in real surveys, of which the wrapper knows only what their survey.toml tells."""

import os
from pathlib import Path

import numpy as np
import pytest

from fmb import DataError
from fmb_surveys.files.reader import FilesConfig, open_survey_file
from fmb_surveys.planting import Planted, PlantingConfig

DATA = os.environ.get("FMB_TEST_DATA", "")
pytestmark = pytest.mark.skipif(
    not DATA, reason="FMB_TEST_DATA does not name the folder of real data"
)

EUCLID = """
name = "euclid-q1"
file = "{folder}/euclid_q1_vis/euclid_q1_vis.h5"

[catalog]
id = "object_id"
label = "label"

[inputs.euclid]
kind = "images"
flux = "image"
bands = ["VIS"]
unit = "display"
pixel_scale_arcsec = 0.1
"""

PAIRS = """
name = "deep2-acs"
file = "{folder}/pairs_deep2_acs/deep2_acs_pairs.h5"

[catalog]
id = "object_id"

[inputs.acs]
kind = "images"
flux = "image"
bands = ["F606W", "F814W"]
unit = "counts"
pixel_scale_arcsec = 0.03

[inputs.deimos]
kind = "spectra"
flux = "spectrum/optimal/flux"
ivar = "spectrum/optimal/ivar"
wavelength = "spectrum/optimal/wavelength"
unit = "counts"
calibrated = false
"""


def opened(text: str, folder: Path):
    path = folder / "survey.toml"
    path.write_text(text.format(folder=Path(DATA).resolve()))
    return open_survey_file(str(path), FilesConfig(), cache=folder)


def test_display_pictures_take_a_trail_and_refuse_a_lens(tmp_path):
    survey = opened(EUCLID, tmp_path)
    planted = Planted(survey, PlantingConfig(mode="paired", kinds=("trail",), n_per_kind=2))
    row = np.array([len(planted) - 1])
    host = survey.read(np.array([planted.injections[-1].host])).inputs["euclid"]
    assert (planted.read(row).inputs["euclid"].flux > host.flux).any()
    assert str(planted.ids[-1]).startswith("EUCLID-Q1-")
    with pytest.raises(DataError, match="lens cannot be planted: euclid is in 'display'"):
        Planted(survey, PlantingConfig(mode="paired", kinds=("lens",)))


def test_spectra_with_a_grid_each_take_a_burst_where_they_have_pixels(tmp_path):
    survey = opened(PAIRS, tmp_path)
    config = PlantingConfig(mode="paired", kinds=("known-burst",), n_per_kind=5, strengths=(1.0,))
    planted = Planted(survey, config)
    for k, injection in enumerate(planted.injections):
        new = planted.read(np.array([len(survey) + k])).inputs["deimos"]
        old = survey.read(np.array([injection.host])).inputs["deimos"]
        touched = new.ivar != old.ivar
        assert not touched[old.mask].any()
        assert 50 < np.ptp(new.wavelength_aa[touched]) < 301
        assert new.ivar[touched] * 36 == pytest.approx(old.ivar[touched], rel=1e-5)
        assert np.array_equal(new.wavelength_aa, old.wavelength_aa)
    assert any(
        "agn cannot be planted" in line
        for line in Planted(survey, PlantingConfig(mode="paired", n_per_kind=1)).warnings
    )
