"""Opens the demo survey: drawn from its configuration at once, its pixels kept once made."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from fmb import Dataset
from fmb_surveys.demo.config import DemoConfig
from fmb_surveys.demo.kept import KeptSurvey
from fmb_surveys.demo.photometry import PHOTOMETRY
from fmb_surveys.demo.sky_spectrum import noise_curve
from fmb_surveys.demo.survey import GENERATOR_REVISION, DemoSurvey
from fmb_surveys.planting.config import PlantingConfig
from fmb_surveys.planting.remeasuring import MEASURING_REVISION
from fmb_surveys.planting.wrapper import PLANTING_REVISION, Planted

__all__ = ["build_demo", "demo_folder", "open_demo"]

_LAYOUT = 2
"""Raised when files of before can no longer be read."""


def open_demo(
    source: str,
    config: DemoConfig,
    *,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> KeptSurvey:
    """The demo survey; no instrument of it is simulated or written yet.

    With `remeasure` hosts and copies are simulated once for the catalogue, which is then kept.

    Args:
        source: the name it was asked for by; not used.
        config: size, seed and planted anomalies.
        cache: holds a folder for each configuration, in which instruments are kept once made.
        progress: called with the rows measured again and their number; `make` has its own.

    Raises:
        DataError: a kind of anomaly that was asked for cannot be planted.
    """
    folder = demo_folder(config, cache)
    catalogue = folder / f"catalogue-{'-'.join([*config.inputs, PHOTOMETRY])}"
    measured = config.remeasure and config.planting != "none"
    return KeptSurvey(lambda: build_demo(config, progress), folder, catalogue, keep=measured)


def demo_folder(config: DemoConfig, cache: Path) -> Path:
    """Where the instruments of a configuration are kept.

    A changed configuration or simulation is another folder. Which instruments there are counts only
    where something is planted, which is planted in all of them.
    """
    unplanted = {"inputs"} if config.planting == "none" else set()
    values = config.model_dump(mode="json", exclude=unplanted)
    revisions = [_LAYOUT, GENERATOR_REVISION, PLANTING_REVISION, MEASURING_REVISION]
    text = json.dumps([*revisions, values], sort_keys=True)
    return cache / f"demo-{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"


def build_demo(config: DemoConfig, progress: Callable[[int, int], None] | None = None) -> Dataset:
    """The survey of a configuration; its pixels are simulated whenever they are read.

    Args:
        config: size, seed and planted anomalies.
        progress: called with the rows measured again and their number.
    """
    survey = DemoSurvey(config.n_objects, config.seed, config.inputs)
    if config.planting == "none":
        return survey
    planting = PlantingConfig(
        mode=config.planting,
        kinds=config.kinds,
        prevalence=config.prevalence,
        n_per_kind=config.n_per_kind,
        strengths=config.strengths,
        seed=config.seed,
        remeasure=config.remeasure,
        columns={"magnitude": "mag_vis"},
    )
    gains = {"desi": noise_curve()[1]}
    # Sound: of no simulated object are more pixels bad than a speck and a few cosmic rays.
    return Planted(survey, planting, flux_of_electron=gains, sound=True, progress=progress)
