"""The real spectra of the project: which are usable, and that their vectors vary."""

import csv
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from astropy.io import fits

from fmb import Config, DataError, InputInfo, Spectra
from fmb.matching.bindings import bind_inputs
from fmb.torch.embedders import Mean
from fmb_aion.surveys import ACCEPTS

FOLDER = os.environ.get("FMB_TEST_DATA")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="FMB_TEST_DATA is not set")
UNIT = "1e-17 erg / (s cm2 Angstrom)"


def vectors(model, inputs):
    return Mean(Config()).reduce(model.encode(inputs, ["spectrum"])["spectrum"]).numpy()


def test_sdss_spectra_are_usable_unless_fully_masked_and_differ(random_model, batch_of):
    with h5py.File(Path(FOLDER) / "sdss_spectra" / "sdss_spectra.h5") as file:
        spectra = Spectra(
            flux=file["flux"][:],
            ivar=file["ivar"][:],
            mask=file["and_mask"][:],
            wavelength_aa=10 ** file["loglam"][:].astype(np.float64),
            unit=UNIT,
        )
        kind = file["class"].asstr()[:]
    model = random_model()
    inputs = model.preparer({"spectrum": "sdss"})(batch_of(sdss=spectra))
    usable = inputs.valid["spectrum"]
    masked = (spectra.mask | (spectra.ivar <= 0)).mean(axis=1)
    assert (masked[~usable] > 0.99).all()
    assert (masked[usable] < 0.9).all()
    assert usable.sum() == 221
    found, kind = vectors(model, inputs.take(np.flatnonzero(usable))), kind[usable]
    assert np.isfinite(found).all()
    assert len(np.unique(found.round(6), axis=0)) == 221
    # even random tokens hold flux level and shape: blank sky is not like quasars
    sky, quasar = found[kind == "SKY"], found[kind == "QSO"]
    between = np.linalg.norm(sky.mean(0) - quasar.mean(0))
    assert between > 0.5 * np.linalg.norm(sky.std(0))


def test_sdss_spectra_as_shipped_are_usable(random_model, batch_of):
    folder = Path(FOLDER) / "pairs_sdss"
    model = random_model()
    with (folder / "pairs.csv").open() as table:
        names = [Path(row["spectrum"]).name for row in csv.DictReader(table)]
    for name in names:
        with fits.open(folder / "spectra" / name) as file:
            data = file[1].data
            flux, ivar, mask = (
                np.array(data[column])[None] for column in ("flux", "ivar", "and_mask")
            )
            grid = 10 ** np.array(data["loglam"], dtype=np.float64)
        spectra = Spectra(flux=flux, ivar=ivar, mask=mask != 0, wavelength_aa=grid, unit=UNIT)
        inputs = model.preparer({"spectrum": "sdss"})(batch_of(sdss=spectra))
        assert inputs.valid["spectrum"].all(), inputs.reasons
        assert np.isfinite(vectors(model, inputs)).all()


def test_the_arms_of_desi_as_shipped_are_usable(random_model, batch_of):
    model = random_model()
    files = sorted((Path(FOLDER) / "desi_spectra" / "as_shipped").glob("coadd-*.fits"))
    assert len(files) == 2
    for path in files:
        with fits.open(path) as file:
            flux, ivar, mask, grid = (
                np.concatenate([np.array(file[f"{arm}_{name}"].data) for arm in "BRZ"], axis=-1)
                for name in ("FLUX", "IVAR", "MASK", "WAVELENGTH")
            )
        order = np.argsort(grid, kind="stable")  # the arms overlap
        order = order[np.concatenate([[True], np.diff(grid[order]) > 1e-3])]
        spectra = Spectra(
            flux=flux[:, order].astype(np.float32),
            ivar=ivar[:, order].astype(np.float32),
            mask=mask[:, order] != 0,
            wavelength_aa=grid[order].astype(np.float64),
            unit=UNIT,
        )
        inputs = model.preparer({"spectrum": "desi"})(batch_of(desi=spectra))
        assert inputs.valid["spectrum"].any(), inputs.reasons
        good = inputs.take(np.flatnonzero(inputs.valid["spectrum"]))
        assert np.isfinite(vectors(model, good)).all()


def test_asinh_scaled_desi_spectra_are_refused_before_any_compute(random_model, batch_of):
    with h5py.File(Path(FOLDER) / "desi_spectra" / "desi_edr_spectra_asinh.h5") as file:
        flux, valid = file["flux"][:], file["valid"][:]
        grid = file["wavelength"][:].astype(np.float64)
    info = InputInfo(
        kind="spectra",
        unit="counts",
        shape=grid.shape,
        wavelength_aa=(grid[0], grid[-1]),
        calibrated=False,
    )
    with pytest.raises(DataError, match=r"spectrum: desi has unit 'counts', the weights need"):
        bind_inputs("aion", ACCEPTS, {"desi": info}, wanted={}, allow_out_of_domain=True)
    spectra = Spectra(flux=flux, mask=valid == 0, wavelength_aa=grid, unit=UNIT, calibrated=False)
    with pytest.raises(DataError, match="not flux-calibrated"):
        random_model().preparer({"spectrum": "desi"})(batch_of(desi=spectra))
