"""A training of AstroCLIP on a few pairs."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from fmb import InputInfo
from fmb_astroclip.training import AstroCLIPTraining
from fmb_train import FitJob


class Survey:
    """30 pairs that share a level, with a catalogue; the last ten repeat the data of the first.

    What is held out repeats what is learned from, so that a few updates are sure to show in it.
    """

    def __init__(self, batch):
        n = len(batch)
        self.ids, self.identity, self.warnings = batch.ids, {"name": "pairs"}, []
        rng = np.random.default_rng(5)
        level = rng.normal(size=n)
        batch.inputs["legacysurvey"].flux[:, :, 60:90, 60:90] += np.exp(level)[:, None, None, None]
        batch.inputs["desi"].flux[:] += 3 * level[:, None]
        for data in batch.inputs.values():
            data.flux[20:] = data.flux[:10]
        self.catalog = pd.DataFrame(
            {"redshift": rng.uniform(0, 0.5, n), "mag_r": 20 - level, "mag_g": 21 - level}
        )
        self.inputs = {
            "legacysurvey": InputInfo(kind="images", unit="nmgy"),
            "desi": InputInfo(kind="spectra", unit="1e-17 erg / (s cm2 Angstrom)"),
        }
        self._batch = batch

    def __len__(self):
        return len(self.ids)

    def read(self, rows, inputs=None):
        return self._batch.take(rows)


@pytest.fixture
def job_of(random_model, legacy_desi, sources, tmp_path) -> Callable[..., FitJob]:
    """A training of the tiny network on 20 pairs: job_of(folder, model, settings)."""

    def build(folder="training", model=None, **settings) -> FitJob:
        usual = {"epochs": 2, "batch_size": 10, "warmup": 0, "learning_rate": 2e-3, "patience": 0}
        config = AstroCLIPTraining(**{**usual, **settings})
        model = model or random_model(preset="tiny")
        (tmp_path / folder).mkdir(exist_ok=True)
        return FitJob(
            task=model.task(config, sources),
            config=config,
            dataset=Survey(legacy_desi(30, pixels=400)),
            sources=sources,
            training=np.arange(20),
            validation=np.arange(20, 30),
            folder=tmp_path / folder,
            seed=3,
        )

    return build
