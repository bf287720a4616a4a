"""Upstream asks for a hundred packages; of them only torch and loralib are used."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import numpy as np
from pathlib import Path
from fmb import Batch, Config, Images, Spectra
from fmb_astropt.checkpoints import import_checkpoint
from fmb_astropt.config import AstroPTConfig
from fmb.torch.embedders import Mean
from fmb_astropt.model import AstroPTModel

import_checkpoint(Path(sys.argv[1]), Path(sys.argv[2]), AstroPTConfig())
model = AstroPTModel(AstroPTConfig())
model.load(Path(sys.argv[2]))
image = Images(flux=np.ones((1, 3, 64, 64), np.float32), bands=("R", "G", "B"), unit="display",
               band_valid=np.ones((1, 3), bool), pixel_scale_arcsec=0.1)
flux = np.random.default_rng(0).normal(size=(1, 300)).astype(np.float32)
spectrum = Spectra(flux=flux, mask=np.zeros((1, 300), bool), unit="ct",
                   wavelength_aa=3600 + 0.8 * np.arange(300))
at = np.array([0])
batch = Batch(ids=at, inputs={"a": image, "b": spectrum}, rows={"a": at, "b": at})
tokens = model.encode(model.preparer({"image": "a", "spectrum": "b"})(batch), ["joint"])
assert np.isfinite(Mean(Config()).reduce(tokens["joint"]).numpy()).all()
heavy = {"torchvision", "wandb", "datasets", "transformers", "timm", "matplotlib", "sklearn",
         "scipy", "astropy", "pandas", "h5py", "einops", "tiktoken", "huggingface_hub"}
print(" ".join(sorted(heavy & set(sys.modules))) or "none")
print(" ".join(sorted(m for m in sys.modules if m.startswith("astropt."))))
"""


def test_a_full_pass_imports_only_upstreams_model_file(golden, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, golden / "fmb_L5.ckpt.pt", tmp_path / "w"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["none", "astropt.model"]


def test_the_plugin_module_imports_the_standard_library_and_fmb_only():
    program = "import sys, fmb_astropt.plugin; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    heavy = {"torch", "numpy", "pydantic", "astropt", "loralib", "safetensors"}
    assert not heavy & set(done.stdout.split())


@pytest.mark.parametrize("module", ["plugin", "config", "model"])
def test_embedding_does_without_what_trains(module):
    """fmb-train is an extra: nothing of it may be needed to run the model."""
    program = f"import sys; sys.modules['fmb_train'] = None; import fmb_astropt.{module}"
    subprocess.run([sys.executable, "-c", program], check=True)
