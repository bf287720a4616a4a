"""Spectra that specutils reads: its numbers, its units, and one line where it reads none."""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tomli_w
from astropy.io import fits

from fmb import FmbError
from fmb_surveys.files.reader import FilesConfig, open_survey_file
from fmb_surveys.files.stores.object_specutils import _read, open_object

FLUX, ERROR = np.arange(1.0, 9.0), np.linspace(0.5, 2, 8)
WAVE = 500.0 + np.arange(8)


@pytest.fixture(autouse=True)
def forget():
    _read.cache_clear()


def write(path, wave_unit="nm"):
    columns = [
        fits.Column("wavelength", "D", array=WAVE, unit=wave_unit),
        fits.Column("flux", "D", array=FLUX, unit="Jy"),
        fits.Column("uncertainty", "D", array=ERROR, unit="Jy"),
    ]
    table = fits.BinTableHDU.from_columns(columns)
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    return path


def survey(folder, **spec):
    files = [str(write(folder / f"{name}.fits")) for name in (1, 2)]
    pd.DataFrame({"object_id": [1, 2], "spec": files}).to_parquet(folder / "rows.parquet")
    said = {
        "kind": "spectra", "files": "rows.parquet", "format": "specutils", "flux": "flux",
        "ivar": "ivar", "wavelength": "wavelength", "unit": "Jy", **spec,
    }  # fmt: skip
    catalog = {"file": "rows.parquet", "id": "object_id"}
    toml = {"name": "s", "catalog": catalog, "inputs": {"spec": said}}
    (folder / "survey.toml").write_text(tomli_w.dumps(toml))
    return open_survey_file(str(folder), FilesConfig(), cache=folder / "cache")


def refused(pattern, make, *args, **said):
    with pytest.raises(FmbError, match=pattern) as caught:
        make(*args, **said)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def everything(path, name="flux"):
    with open_object(path) as file:
        return file.read(name)


def test_numbers_and_units_are_those_of_the_file(tmp_path):
    pytest.importorskip("specutils", reason="pip install 'fmb-surveys[specutils]'")
    spectra = survey(tmp_path).read(np.arange(2)).inputs["spec"]
    assert np.array_equal(spectra.flux[1], FLUX.astype(np.float32))
    assert np.allclose(spectra.ivar[1], 1 / ERROR**2, rtol=1e-6)
    assert np.allclose(spectra.wavelength_aa[1], 10 * WAVE, rtol=1e-12)


def test_what_it_does_not_know_is_refused_in_one_line(tmp_path):
    pytest.importorskip("specutils", reason="pip install 'fmb-surveys[specutils]'")
    refused("in 'Jy' by what the file says, in 'mJy'", survey, tmp_path, unit="mJy")
    (tmp_path / "text.fits").write_text("x")
    refused("text.fits: in no format that specutils knows", everything, tmp_path / "text.fits")
    cut = tmp_path / "cut.fits"
    cut.write_bytes((tmp_path / "1.fits").read_bytes()[:5800])
    refused("cut.fits: for specutils, it is damaged|in no format", everything, cut)
    refused("no.fits: cannot be read: No such file", everything, tmp_path / "no.fits")
    refused("specutils finds no 'mask' in it", everything, tmp_path / "1.fits", "mask")
    refused("specutils finds no 'flx' in it", everything, tmp_path / "1.fits", "flx")


def test_without_it_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "specutils", None)
    path = write(tmp_path / "one.fits")
    refused(r"needs it: pip install 'fmb-surveys\[specutils\]'", everything, path)


def test_a_format_of_single_objects_that_is_none_is_refused(tmp_path):
    refused(
        "no format of single objects is called 'spectutils'", survey, tmp_path, format="spectutils"
    )


def test_a_shipped_spectrum_of_sdss_is_the_same_by_specutils(tmp_path):
    pytest.importorskip("specutils", reason="pip install 'fmb-surveys[specutils]'")
    folder = os.environ.get("FMB_TEST_DATA", "")
    if not folder:
        pytest.skip("FMB_TEST_DATA does not name the folder of real data")
    path = Path(folder) / "pairs_sdss" / "spectra" / "spec-0266-51630-0168.fits"
    with open_object(path) as file, fits.open(path) as hdus:
        coadd = hdus[1].data
        assert np.array_equal(file.read("flux"), coadd["flux"])
        assert np.allclose(file.read("wavelength"), 10 ** coadd["loglam"].astype(float), rtol=1e-6)
        good = file.read("ivar") > 0
        assert np.allclose(file.read("ivar")[good], coadd["ivar"][good], rtol=1e-6)
