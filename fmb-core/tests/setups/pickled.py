"""Checkpoints that pickle whole modules, and pickles written opcode by opcode."""

import collections
import struct
import zipfile

import torch
from safetensors.torch import load_file
from torch import nn

from fmb.weights.pickles import extracted


def tensors_of(path, tmp_path):
    with extracted(path, tmp_path / "out.safetensors") as out:
        return load_file(out)


def saved(content, tmp_path):
    torch.save(content, tmp_path / "in.ckpt")
    return tmp_path / "in.ckpt"


class Encoder(nn.Module):
    """Stands for a module whose class only its author has."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.register_buffer("scale", torch.tensor(0.5))


def lightning(payload=None):
    """A checkpoint of Lightning whose hyperparameters pickle a whole module, as AstroCLIP's do."""
    encoder = Encoder()
    return {
        "state_dict": collections.OrderedDict(encoder.state_dict()),
        "hyper_parameters": {"image_encoder": encoder, "lr": 1e-4, "extra": payload},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(2)}}}],
        "callbacks": {"ModelCheckpoint": {"best": torch.tensor(1.0)}},
    }


def text(value):
    encoded = str(value).encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def call(function, *arguments):
    return function + b"(" + b"".join(arguments) + b"tR"


def rewritten(path, change):
    """The checkpoint with other bytes for its pickle."""
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    (name,) = (name for name in records if name.endswith("data.pkl"))
    with zipfile.ZipFile(path, "w") as archive:
        for key, value in {**records, name: change(records[name])}.items():
            archive.writestr(key, value)
    return path
