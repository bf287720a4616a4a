"""What the plugin and a full pass load: nothing of what upstream asks for."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import numpy as np
from pathlib import Path
from fmb import Batch, Images, Spectra
from fmb_astroclip.config import AstroCLIPConfig
from fmb_astroclip.model import AstroCLIPModel

model = AstroCLIPModel(AstroCLIPConfig())
model.load(Path(sys.argv[1]))
image = Images(flux=np.ones((1, 3, 144, 144), np.float32), bands=("DES-G", "DES-R", "DES-Z"),
               unit="nmgy", band_valid=np.ones((1, 3), bool), pixel_scale_arcsec=0.262)
flux = np.random.default_rng(0).normal(size=(1, 300)).astype(np.float32)
spectrum = Spectra(flux=flux, mask=np.zeros((1, 300), bool), unit="1e-17 erg / (s cm2 Angstrom)",
                   wavelength_aa=3600 + 0.8 * np.arange(300))
at = np.array([0])
batch = Batch(ids=at, inputs={"a": image, "b": spectrum}, rows={"a": at, "b": at})
found = model.encode(model.preparer({"image": "a", "spectrum": "b"})(batch), ["image", "spectrum"])
assert all(tokens.values.isfinite().all() for tokens in found.values())
heavy = {"torchvision", "timm", "transformers", "lightning", "dinov2", "astroclip", "datasets",
         "wandb", "skimage", "matplotlib", "sklearn", "scipy", "astropy", "pandas", "h5py"}
print(" ".join(sorted(heavy & set(sys.modules))) or "none")
"""


def test_a_full_pass_imports_neither_upstream_nor_what_it_asks_for(reference_folder):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, reference_folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["none"]


def test_the_plugin_module_imports_the_standard_library_and_fmb_only():
    program = "import sys, fmb_astroclip.plugin; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not {"torch", "numpy", "pydantic", "safetensors"} & set(done.stdout.split())


def test_the_configuration_loads_without_torch():
    program = "import sys, fmb_astroclip.config; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not {"torch", "safetensors"} & set(done.stdout.split())


@pytest.mark.parametrize("module", ["plugin", "config", "model"])
def test_embedding_does_without_what_trains(module):
    """fmb-train is an extra: nothing of it may be needed to run the model."""
    program = f"import sys; sys.modules['fmb_train'] = None; import fmb_astroclip.{module}"
    subprocess.run([sys.executable, "-c", program], check=True)
