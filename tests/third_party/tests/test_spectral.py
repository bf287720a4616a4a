from typing import ClassVar

import numpy as np
import pytest
from fmb_norm_demo.spectral import GRID_AA, Prepare, Spectral, drawn

from fmb import Batch, Config, Spectra
from fmb.testing import ModelContract
from fmb.weights import write_folder


def batch(flux, grid=GRID_AA):
    flux = np.asarray(flux, dtype=np.float32)
    spectra = Spectra(flux=flux, mask=np.isnan(flux), wavelength_aa=grid, unit="counts")
    rows = np.arange(len(flux))
    return Batch(ids=rows, inputs={"boss": spectra}, rows={"boss": rows})


class TestSpectral(ModelContract):
    sources: ClassVar = {"spectrum": "boss"}
    views = ("spectrum",)

    @pytest.fixture(autouse=True)
    def weights(self, tmp_path):
        write_folder(tmp_path, drawn(Config(), 3), [])
        self.folder = tmp_path

    def make(self):
        model = Spectral(Config(), seed=0, device="cpu", precision="float32")
        model.load(self.folder)
        return model

    def batch(self):
        return batch(np.random.default_rng(1).normal(5, 1, (4, 1024)))


def test_a_spectrum_on_another_grid_is_the_same_where_it_is_covered():
    grid = np.linspace(3000.0, 7000.0, 4001)  # a straight line is interpolated exactly
    inputs = Prepare("boss")(batch([2.0 * grid], grid))
    covered = inputs.arrays["covered"][0] > 0
    assert covered.tolist() == (GRID_AA <= 7000.0).tolist()
    flux = inputs.arrays["flux"][0][covered]
    assert flux / flux[0] == pytest.approx(GRID_AA[covered] / GRID_AA[0], rel=1e-5)  # float32
