"""A survey in memory, plain enough that every planted number can be worked out by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fmb import Batch, Images, InputInfo, Spectra
from fmb_surveys.planting import Planted, PlantingConfig

BANDS = ("VIS", "NISP-H")
PSF = (0.2, 0.5)
CONTINUUM = 2.0
FLAMBDA = "1e-17 erg / (s cm2 Angstrom)"


class PlainSurvey:
    """Round galaxies of 20 mag on flat noise, and flat continua of 2e-17 erg/s/cm2/A."""

    warnings = ("plain",)

    def __init__(self, n: int = 40, *, gain: float | None = None, noise: float = 1e-3) -> None:
        rng = np.random.default_rng(7)
        self.ids = np.arange(n, dtype=np.int64) * 11 + 10**18
        self.catalog = pd.DataFrame(
            {
                "object_id": self.ids,
                "redshift": rng.uniform(0.31, 0.39, n),
                "mag_vis": rng.uniform(19.5, 20.4, n),
                "snr": rng.uniform(2.0, 2.2, n),
            }
        )
        self.catalog.attrs["units"] = {"mag_vis": "mag(AB)"}
        self.identity = {"name": "plain"}
        self.images = self._make_images(n, rng, gain, noise)
        self.spectra = self._make_spectra(n, rng)
        self.inputs = {
            "cam": InputInfo(
                kind="images", unit="uJy", bands=BANDS, shape=(80, 80), pixel_scale_arcsec=0.1
            ),
            "spec": InputInfo(
                kind="spectra", unit=FLAMBDA, shape=(4000,), wavelength_aa=(4000.0, 9598.6)
            ),
        }

    def _make_images(self, n: int, rng: Any, gain: float | None, noise: float) -> Images:
        y, x = np.mgrid[:80, :80] - 39.5
        profile = np.exp(-0.5 * (x**2 + y**2) / 6.0**2) / (2 * np.pi * 36.0)
        total = 10 ** (0.4 * (23.9 - self.catalog.mag_vis.to_numpy()))
        light = total[:, None, None, None] * profile * np.array([1.0, 3.0])[:, None, None]
        variance = np.full(light.shape, noise**2)
        if gain is not None:
            variance += light / gain
        flux = light + rng.standard_normal(light.shape) * np.sqrt(variance)
        return Images(
            flux=flux.astype(np.float32),
            bands=BANDS,
            band_valid=np.ones((n, 2), dtype=bool),
            unit="uJy",
            pixel_scale_arcsec=0.1,
            ivar=(1 / variance).astype(np.float32),
            mask=np.zeros(light.shape, dtype=bool),
            psf_fwhm_arcsec=np.tile(np.float32(PSF), (n, 1)),
        )

    @staticmethod
    def _make_spectra(n: int, rng: Any) -> Spectra:
        wave = 4000.0 + 1.4 * np.arange(4000)
        flux = CONTINUUM + 0.2 * rng.standard_normal((n, 4000))
        return Spectra(
            flux=flux.astype(np.float32),
            ivar=np.full(flux.shape, 25.0, dtype=np.float32),
            mask=np.zeros(flux.shape, dtype=bool),
            wavelength_aa=wave,
            unit=FLAMBDA,
        )

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, rows, inputs=None) -> Batch:
        rows = np.asarray(rows)
        have = {"cam": self.images, "spec": self.spectra}
        names = [name for name in self.inputs if inputs is None or name in inputs]
        found = {name: have[name].take(rows) for name in names}
        return Batch(
            ids=self.ids[rows], inputs=found, rows={name: np.arange(len(rows)) for name in names}
        )


@pytest.fixture
def plain() -> PlainSurvey:
    return PlainSurvey()


@pytest.fixture
def make_plain():
    return PlainSurvey


def copies_of(survey, kind: str, *strengths: float, n: int = 3, **settings):
    """(host, copy, catalogue row) of each planted copy, as batches of one object."""
    config = PlantingConfig(
        mode="paired", kinds=(kind,), n_per_kind=n, strengths=strengths, **settings
    )
    planted = Planted(survey, config)
    pairs = []
    for k, injection in enumerate(planted.injections):
        row = len(survey) + k
        pairs.append(
            (
                survey.read(np.array([injection.host])),
                planted.read(np.array([row])),
                planted.catalog.iloc[row],
            )
        )
    assert pairs
    return pairs


@pytest.fixture
def plant():
    return copies_of


@pytest.fixture
def without():
    """The survey without one thing that a container or the catalogue may lack."""

    def without(survey, what: str):
        if what in ("ivar", "mask", "psf_fwhm_arcsec"):
            survey.images = replace(survey.images, **{what: None})
        elif what == "spectrum ivar":
            survey.spectra = replace(survey.spectra, ivar=None)
        elif what == "calibration":
            survey.spectra = replace(survey.spectra, calibrated=False)
            survey.inputs["spec"] = replace(survey.inputs["spec"], calibrated=False)
        elif what in survey.inputs:
            del survey.inputs[what]
        else:
            survey.catalog = survey.catalog.drop(columns=what)
        return survey

    return without
