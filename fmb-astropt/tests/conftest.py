from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fmb import Batch, Images, Spectra
from fmb.weights import Card
from fmb_astropt.config import AstroPTConfig
from fmb_astropt.model import AstroPTModel
from fmb_astropt.presets import random_card

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def golden() -> Path:
    """Weights, inputs and outputs of upstream; see external/astropt/README.md."""
    return GOLDEN


@pytest.fixture(scope="session")
def golden_arrays() -> dict[str, np.ndarray]:
    found = {}
    for name in ("inputs", "outputs"):
        with np.load(GOLDEN / f"{name}.npz", allow_pickle=False) as stored:
            found |= {f"{name}.{key}": stored[key] for key in stored}
    return found


@pytest.fixture
def write_card(tmp_path: Path) -> Callable[[Card], Path]:
    """Writes a weights folder that holds a card only."""

    def write(card: Card) -> Path:
        folder = tmp_path / card.name
        folder.mkdir(exist_ok=True)
        (folder / "card.json").write_text(card.model_dump_json())
        return folder

    return write


@pytest.fixture
def random_model(write_card) -> Callable[..., AstroPTModel]:
    """A loaded model with random weights; keywords are options of AstroPTConfig."""

    def load(*, seed: int = 0, precision: str = "float32", **options) -> AstroPTModel:
        config = AstroPTConfig(**options)
        model = AstroPTModel(config, precision=precision)
        model.load(write_card(random_card(config, seed)))
        return model

    return load


@pytest.fixture
def images_of() -> Callable[..., Images]:
    """Images around a flux array (n, bands, h, w)."""

    def build(flux: np.ndarray, bands: tuple[str, ...] | None = None, **changes) -> Images:
        n, count = flux.shape[:2]
        return Images(
            flux=flux.astype(np.float32),
            bands=bands or tuple(f"B{i}" for i in range(count)),
            band_valid=changes.pop("band_valid", np.ones((n, count), dtype=bool)),
            unit=changes.pop("unit", "nJy"),
            pixel_scale_arcsec=0.1,
            **changes,
        )

    return build


@pytest.fixture
def spectra_of() -> Callable[..., Spectra]:
    """Spectra around a flux array (n, pixels); wavelengths ascend from 3600 A by 0.8 A."""

    def build(flux: np.ndarray, **changes) -> Spectra:
        return Spectra(
            flux=flux.astype(np.float32),
            ivar=changes.pop("ivar", np.ones(flux.shape, dtype=np.float32)),
            mask=changes.pop("mask", np.zeros(flux.shape, dtype=bool)),
            wavelength_aa=changes.pop("wavelength_aa", 3600 + 0.8 * np.arange(flux.shape[1])),
            unit="1e-17 erg / (s cm2 Angstrom)",
            **changes,
        )

    return build


@pytest.fixture
def euclid_desi(images_of, spectra_of) -> Callable[..., Batch]:
    """Noise with a blob in four Euclid bands and noise on a slope over the DESI range."""

    def build(n: int, *, seed: int = 0, pixels: int = 1556) -> Batch:
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[:96, :96] - 47.5
        blob = 50 * np.exp(-(y**2 + x**2) / (2 * rng.uniform(3, 9, (n, 4, 1, 1)) ** 2))
        bands = ("VIS", "NISP-Y", "NISP-J", "NISP-H")
        step = 6224 / pixels
        wavelength = 3600 + step * (np.arange(pixels) + 0.5)
        slope = rng.normal(1, 0.5, (n, 1)) * (wavelength - 6700) / 3000
        return Batch(
            ids=np.arange(n),
            inputs={
                "euclid": images_of(blob + rng.normal(size=(n, 4, 96, 96)), bands),
                "desi": spectra_of(slope + rng.normal(2, 1, (n, pixels)), wavelength_aa=wavelength),
            },
            rows={"euclid": np.arange(n), "desi": np.arange(n)},
        )

    return build


SOURCES = {"image": "euclid", "spectrum": "desi"}


@pytest.fixture
def sources() -> dict[str, str]:
    return dict(SOURCES)
