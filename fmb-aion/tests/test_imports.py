"""What is loaded and reached: neither heavy packages nor the network."""

import subprocess
import sys

import pytest

PROGRAM = """
import socket
import sys

def closed(*args, **kwargs):
    raise AssertionError("no sockets")

socket.socket.connect = socket.getaddrinfo = closed

import numpy as np
from pathlib import Path
from fmb import Batch, Config, Images, Spectra
from fmb_aion.importing import import_folder
from fmb_aion.config import AionConfig
from fmb.torch.embedders import Mean
from fmb_aion.model import AionModel

import_folder(Path(sys.argv[1]), Path(sys.argv[2]), AionConfig())
model = AionModel(AionConfig())
model.load(Path(sys.argv[2]))
rng = np.random.default_rng(0)
image = Images(flux=rng.normal(size=(1, 2, 96, 96)).astype(np.float32), bands=("DES-G", "DES-R"),
               unit="nmgy", band_valid=np.ones((1, 2), bool), pixel_scale_arcsec=0.262)
flux = rng.normal(size=(1, 3000)).astype(np.float32)
spectrum = Spectra(flux=flux, mask=np.zeros((1, 3000), bool), unit="1e-17 erg / (s cm2 Angstrom)",
                   wavelength_aa=3600 + 2.0 * np.arange(3000))
at = np.array([0])
batch = Batch(ids=at, inputs={"a": image, "b": spectrum}, rows={"a": at, "b": at})
tokens = model.encode(model.preparer({"image": "a", "spectrum": "b"})(batch), ["joint"])
assert np.isfinite(Mean(Config()).reduce(tokens["joint"]).numpy()).all()
heavy = {"torchvision", "timm", "transformers", "tokenizers", "wandb", "datasets", "matplotlib",
         "sklearn", "pandas", "h5py", "aion.fourm.generate"}
print(" ".join(sorted(heavy & set(sys.modules))) or "none")
"""


def test_a_full_pass_loads_nothing_heavy_and_opens_no_socket(golden_model, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, golden_model, tmp_path / "w"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["none"]


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("plugin", {"torch", "numpy", "pydantic", "aion", "safetensors", "huggingface_hub"}),
        ("config", {"torch", "aion", "safetensors", "huggingface_hub"}),
        ("presets", {"torch", "aion", "safetensors.torch", "huggingface_hub"}),
    ],
)
def test_what_is_declared_and_configured_does_without_the_networks(module, heavy):
    program = f"import sys, fmb_aion.{module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not heavy & set(done.stdout.split())


@pytest.mark.parametrize("module", ["plugin", "config", "model"])
def test_embedding_does_without_what_trains(module):
    """fmb-train is an extra: nothing of it may be needed to run the model."""
    program = f"import sys; sys.modules['fmb_train'] = None; import fmb_aion.{module}"
    subprocess.run([sys.executable, "-c", program], check=True)
