"""A small network, and arrays that it reads."""

import numpy as np
import pytest
from patch_inputs import N_IMAGE, N_SPECTRUM, card

from fmb_astropt.config import AstroPTConfig
from fmb_astropt.model import AstroPTModel


@pytest.fixture
def model_of(write_card):
    """A model with drawn weights: model_of(sizes of the card)."""

    def build(**sizes) -> AstroPTModel:
        model = AstroPTModel(AstroPTConfig(), seed=9)
        model.load(write_card(card(**sizes)))
        return model

    return build


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    return {
        "image": 2 * rng.normal(size=(3, N_IMAGE, 128)).astype(np.float32),
        "spectrum": 2 * rng.normal(size=(3, N_SPECTRUM, 16)).astype(np.float32),
    }
