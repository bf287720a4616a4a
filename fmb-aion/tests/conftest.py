import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fmb import Batch, Images, Spectra
from fmb.weights import Card
from fmb_aion.config import AionConfig
from fmb_aion.importing import import_folder
from fmb_aion.model import AionModel
from fmb_aion.presets import random_card

GOLDEN = Path(__file__).parent / "golden"
DES = ("DES-G", "DES-R", "DES-I", "DES-Z")
SPECTRUM_UNIT = "1e-17 erg / (s cm2 Angstrom)"


@pytest.fixture(scope="session")
def golden() -> dict[str, np.ndarray]:
    """Inputs and outputs of upstream; see external/aion/README.md."""
    found = {}
    for name in ("inputs", "outputs"):
        with np.load(GOLDEN / f"{name}.npz", allow_pickle=False) as stored:
            found |= {f"{name}.{key}": stored[key] for key in stored}
    return found


@pytest.fixture(scope="session")
def golden_model() -> Path:
    """The reference model in upstream's layout."""
    return GOLDEN / "model"


@pytest.fixture(scope="session")
def imported(tmp_path_factory) -> Path:
    """The reference model as a weights folder."""
    folder = tmp_path_factory.mktemp("weights")
    import_folder(GOLDEN / "model", folder, AionConfig())
    return folder


@pytest.fixture
def published(tmp_path) -> Path:
    """A copy of the reference model in upstream's layout, to be spoilt."""
    shutil.copytree(GOLDEN / "model", tmp_path / "aion-tiny")
    return tmp_path / "aion-tiny"


@pytest.fixture
def write_card(tmp_path) -> Callable[[Card], Path]:
    """Writes a weights folder that holds a card only."""

    def write(card: Card) -> Path:
        folder = tmp_path / card.name
        folder.mkdir(exist_ok=True)
        (folder / "card.json").write_text(card.model_dump_json())
        return folder

    return write


@pytest.fixture
def random_model(write_card) -> Callable[..., AionModel]:
    """A loaded model with random weights; keywords are options of AionConfig."""

    def load(*, seed: int = 0, precision: str = "float32", **options) -> AionModel:
        config = AionConfig(**options)
        model = AionModel(config, precision=precision)
        model.load(write_card(random_card(config, seed)))
        return model

    return load


@pytest.fixture
def images_of() -> Callable[..., Images]:
    """Images around a flux array (n, bands, h, w), by default DES bands in nanomaggies."""

    def build(flux: np.ndarray, bands: tuple[str, ...] = DES, **changes) -> Images:
        n, count = flux.shape[:2]
        fields = {
            "flux": flux.astype(np.float32),
            "bands": bands[:count],
            "band_valid": np.ones((n, count), dtype=bool),
            "unit": "nmgy",
            "pixel_scale_arcsec": 0.262,
        }
        return Images(**fields | changes)

    return build


@pytest.fixture
def spectra_of() -> Callable[..., Spectra]:
    """Spectra around a flux array (n, pixels), on an even grid over 3600-9824 A."""

    def build(flux: np.ndarray, **changes) -> Spectra:
        fields = {
            "flux": flux.astype(np.float32),
            "ivar": np.ones(flux.shape, dtype=np.float32),
            "mask": np.zeros(flux.shape, dtype=bool),
            "wavelength_aa": np.linspace(3600, 9824, flux.shape[1]),
            "unit": SPECTRUM_UNIT,
        }
        return Spectra(**fields | changes)

    return build


@pytest.fixture
def legacy_desi(images_of, spectra_of) -> Callable[..., Batch]:
    """Blobs of differing sizes and colours on noise, and slopes on noise."""

    def build(n: int, *, seed: int = 0, pixels: int = 1945) -> Batch:
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[:100, :100] - 49.5
        blob = rng.uniform(0.2, 2, (n, 4, 1, 1)) * np.exp(
            -(y**2 + x**2) / (2 * rng.uniform(3, 9, (n, 4, 1, 1)) ** 2)
        )
        slope = rng.uniform(-2, 2, (n, 1)) * np.linspace(-1, 1, pixels)
        rows = np.arange(n)
        return Batch(
            ids=rows,
            inputs={
                "legacysurvey": images_of(blob + 0.02 * rng.normal(size=(n, 4, 100, 100))),
                "desi": spectra_of(slope + rng.normal(4, 1, (n, pixels))),
            },
            rows={"legacysurvey": rows, "desi": rows},
        )

    return build


@pytest.fixture
def sources() -> dict[str, str]:
    return {"image": "legacysurvey", "spectrum": "desi"}


@pytest.fixture
def batch_of() -> Callable[..., Batch]:
    """A batch whose objects have all of the inputs given."""

    def build(**inputs: Images | Spectra) -> Batch:
        rows = np.arange(len(next(iter(inputs.values()))))
        return Batch(ids=rows, inputs=inputs, rows=dict.fromkeys(inputs, rows))

    return build


@pytest.fixture
def changed() -> Callable[..., Batch]:
    """A batch with fields of one of its inputs replaced."""

    def build(batch: Batch, name: str, **fields) -> Batch:
        return replace(batch, inputs={**batch.inputs, name: replace(batch.inputs[name], **fields)})

    return build
