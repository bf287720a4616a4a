import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from fmb import Batch, Images, Spectra
from fmb.weights import Card
from fmb_astroclip.config import AstroCLIPConfig
from fmb_astroclip.model import AstroCLIPModel
from fmb_astroclip.network import AstroCLIP, fill_network
from fmb_astroclip.presets import PUBLISHED, card_of, random_card
from fmb_astroclip.recipes import Architecture, ImageTower, SpectrumTower

GOLDEN = Path(__file__).parent / "golden"
TENSORS = GOLDEN / "astroclip.safetensors"
BANDS = ("DES-G", "DES-R", "DES-I", "DES-Z")
SOURCES = {"image": "legacysurvey", "spectrum": "desi"}


def reference_sizes() -> Architecture:
    """Sizes of the reference network, in the words of our card."""
    given = json.loads((GOLDEN / "config.json").read_text())
    vit, former = given["image"]["vit"], given["spectrum"]["specformer"]
    return Architecture(
        image=ImageTower(
            width=vit["embed_dim"],
            depth=vit["depth"],
            heads=vit["num_heads"],
            patch_px=vit["patch_size"],
            chunk=vit["depth"] // vit["block_chunks"],
            positions=1 + (vit["img_size"] // vit["patch_size"]) ** 2,
        ),
        spectrum=SpectrumTower(
            width=former["embed_dim"],
            depth=former["num_layers"],
            heads=former["num_heads"],
            max_tokens=former["max_len"],
        ),
        embed=given["image"]["head"]["embed_dim"],
        cross_heads=given["image"]["head"]["n_head"],
    )


@pytest.fixture(scope="session")
def golden() -> dict[str, np.ndarray]:
    """Inputs and outputs of upstream; see external/astroclip/README.md."""
    found = {}
    for name in ("inputs", "outputs", "torgb"):
        with np.load(GOLDEN / f"{name}.npz", allow_pickle=False) as stored:
            found |= {f"{name}.{key}": stored[key] for key in stored}
    return found


@pytest.fixture(scope="session")
def reference() -> AstroCLIP:
    """The reference network, filled by upstream's names as they are."""
    return fill_network(reference_sizes(), PUBLISHED, load_file(TENSORS), "reference")


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
def reference_folder(write_card) -> Path:
    """The reference network as a weights folder."""
    card = card_of(reference_sizes(), PUBLISHED, name="reference", summary="reference")
    folder = write_card(card)
    (folder / "model.safetensors").write_bytes(TENSORS.read_bytes())
    return folder


@pytest.fixture
def reference_model(reference_folder) -> AstroCLIPModel:
    model = AstroCLIPModel(AstroCLIPConfig())
    model.load(reference_folder)
    return model


@pytest.fixture
def random_model(write_card) -> Callable[..., AstroCLIPModel]:
    """A loaded model with random weights; keywords are options of AstroCLIPConfig."""

    def load(*, seed: int = 0, precision: str = "float32", **options) -> AstroCLIPModel:
        config = AstroCLIPConfig(**options)
        model = AstroCLIPModel(config, precision=precision)
        model.load(write_card(random_card(config, seed)))
        return model

    return load


@pytest.fixture
def images_of() -> Callable[..., Images]:
    """Images around a flux array (n, bands, h, w)."""

    def build(flux: np.ndarray, bands: tuple[str, ...] = BANDS, **changes) -> Images:
        return Images(
            flux=flux.astype(np.float32),
            bands=bands,
            band_valid=changes.pop("band_valid", np.ones(flux.shape[:2], dtype=bool)),
            unit=changes.pop("unit", "nmgy"),
            pixel_scale_arcsec=0.262,
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
            unit=changes.pop("unit", "1e-17 erg / (s cm2 Angstrom)"),
            **changes,
        )

    return build


@pytest.fixture
def legacy_desi(images_of, spectra_of) -> Callable[..., Batch]:
    """Noise with a blob in four Legacy Survey bands, and noise on a slope over the DESI range."""

    def build(n: int, *, seed: int = 0, pixels: int = 1024) -> Batch:
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[:152, :152] - 75.5
        blob = 0.5 * np.exp(-(y**2 + x**2) / (2 * rng.uniform(5, 20, (n, 4, 1, 1)) ** 2))
        slope = rng.normal(1, 0.5, (n, 1)) * np.linspace(-1, 1, pixels)
        return Batch(
            ids=np.arange(n),
            inputs={
                "legacysurvey": images_of(blob + rng.normal(0, 0.02, (n, 4, 152, 152))),
                "desi": spectra_of(slope + rng.normal(2, 1, (n, pixels))),
            },
            rows={"legacysurvey": np.arange(n), "desi": np.arange(n)},
        )

    return build


@pytest.fixture
def sources() -> dict[str, str]:
    return dict(SOURCES)
