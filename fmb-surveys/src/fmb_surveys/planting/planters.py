"""Kind of anomaly -> the function that plants it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from fmb_surveys.planting.image_artefacts import (
    plant_cosmic_rays,
    plant_dead_columns,
    plant_masked_columns,
    plant_trail,
)
from fmb_surveys.planting.interloper import plant_second_redshift
from fmb_surveys.planting.lens import plant_lens
from fmb_surveys.planting.merger import plant_merger
from fmb_surveys.planting.nucleus import plant_agn
from fmb_surveys.planting.pairing import plant_fibre_offset, plant_swap
from fmb_surveys.planting.spectrum_artefacts import (
    plant_arm_step,
    plant_known_burst,
    plant_noise_burst,
    plant_sky_residual,
)
from fmb_surveys.planting.target import Target

__all__ = ["PLANTERS", "Planter"]

Planter = Callable[[Target, float, np.random.Generator], None]
"""Changes a target in place, given the value of the kind's parameter."""


def _catalogue_only(target: Target, value: float, rng: np.random.Generator) -> None:
    """Nothing observed changes."""


PLANTERS: Mapping[str, Planter] = MappingProxyType(
    {
        "lens": plant_lens,
        "merger": plant_merger,
        "agn": plant_agn,
        "second-redshift": plant_second_redshift,
        "swap-hard": plant_swap,
        "swap-easy": plant_swap,
        "fibre-offset": plant_fibre_offset,
        "trail": plant_trail,
        "cosmic-rays": plant_cosmic_rays,
        "dead-columns": plant_dead_columns,
        "noise-burst": plant_noise_burst,
        "arm-step": plant_arm_step,
        "sky-residual": plant_sky_residual,
        "masked-columns": plant_masked_columns,
        "known-burst": plant_known_burst,
        "wrong-redshift": _catalogue_only,
    }
)
