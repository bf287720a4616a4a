"""Opens the demo survey: simulated once, then read from HDF5 like real data."""

import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path

from fmb import Dataset, StoreError
from fmb_surveys.demo.config import DemoConfig
from fmb_surveys.demo.sky_spectrum import noise_curve
from fmb_surveys.demo.survey import GENERATOR_REVISION, DemoSurvey
from fmb_surveys.files.reader import HDF5Config, open_hdf5, write_survey
from fmb_surveys.files.survey_toml import FILE_NAME
from fmb_surveys.planting.config import PlantingConfig
from fmb_surveys.planting.wrapper import PLANTING_REVISION, Planted

__all__ = ["build_demo", "demo_folder", "open_demo"]

logger = logging.getLogger(__name__)

_REPORT_EVERY = 0.1
WORTH_SHARING = 500
"""Objects from which on starting other processes pays."""


def open_demo(
    source: str,
    config: DemoConfig,
    *,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """The demo survey, from the cache or simulated now.

    Args:
        source: the name it was asked for by; not used.
        config: size, seed and planted anomalies.
        cache: folder for simulated surveys, one folder each; a changed configuration or
            simulation is another folder.
        progress: called with the objects written and their number.

    Raises:
        DataError: a kind of anomaly that was asked for cannot be planted.
        FailedError: the cache cannot be written.
    """
    folder = demo_folder(config, cache)
    if not (folder / FILE_NAME).exists():
        dataset = build_demo(config)
        logger.info("simulating %d objects into %s", len(dataset), folder)
        try:
            write_survey(
                folder,
                dataset,
                shared=len(dataset) >= WORTH_SHARING,
                progress=progress or _log_progress(),
            )
        except StoreError:
            # Another process finished the same survey meanwhile: it holds the same bytes.
            if not (folder / FILE_NAME).exists():
                raise
    return open_hdf5(str(folder), HDF5Config(), cache=cache)


def demo_folder(config: DemoConfig, cache: Path) -> Path:
    """Where the survey of a configuration is kept."""
    key = [GENERATOR_REVISION, PLANTING_REVISION, config.model_dump(mode="json")]
    text = json.dumps(key, sort_keys=True)
    return cache / f"demo-{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"


def build_demo(config: DemoConfig) -> Dataset:
    """The survey of a configuration; its pixels are simulated when they are read."""
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
    )
    return Planted(survey, planting, flux_of_electron={"desi": noise_curve()[1]})


def _log_progress() -> Callable[[int, int], None]:
    """Logs every tenth of the work."""
    told = 0.0

    def report(done: int, total: int) -> None:
        nonlocal told
        if done / total >= told + _REPORT_EVERY:
            told = done / total
            logger.info("simulated %d of %d objects", done, total)

    return report
