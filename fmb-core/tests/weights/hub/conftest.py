"""A stand-in of the hub, a toy model published on it, and a workspace that downloads from there."""

import json
import shutil
from typing import ClassVar

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from huggingface_hub import constants
from safetensors.numpy import load_file, save, save_file

from fmb.cli import main
from fmb.contract.config import Config
from fmb.contract.model import Accepts, ModelSpec, WeightsSpec
from fmb.plugins.loading import Plugins
from fmb.plugins.registry import Component, Registry
from fmb.testing.hub_stand_in import HubStandIn
from fmb.weights.card import Card
from fmb.weights.download import download
from fmb.weights.hub import HubReference
from fmb.weights.resolve import resolve_weights

FIRST, SECOND = "a" * 40, "b" * 40
REPO = "polymathic-ai/aion-toy"
ACCEPTS = (Accepts(slot="image", kind="images"),)
SPEC = ModelSpec(
    name="toy",
    summary="A toy",
    target="none:None",
    config="fmb.contract.config:Config",
    accepts=ACCEPTS,
    views={"image": ("image",)},
    embedders=("mean",),
    weights=(
        WeightsSpec(name="random", summary="drawn", card="toys:drawn"),
        WeightsSpec(name="base", summary="published", location=f"hf:{REPO}"),
    ),
    importer="toys:imported",
    converter="toys:converted",
)


def card(**changes):
    given = {"model": "toy", "name": "mine", "architecture": {}, "preprocessing": {}}
    return Card(**{**given, "accepts": ACCEPTS, **changes}).model_dump_json()


def imported(path, folder, config):
    """What an importer does with the layout of AION: keep the encoder's tensors."""
    sizes = json.loads((path / "config.json").read_text())
    tensors = load_file(path / "model.safetensors")
    codec = load_file(path / "codecs" / "image" / "model.safetensors")
    kept = {k: v for k, v in {**tensors, **codec}.items() if not k.startswith("decoder")}
    save_file(kept, folder / "model.safetensors")
    (folder / "card.json").write_text(card(architecture=sizes))


def converted(tensors, folder, config, source):
    shutil.copy(tensors, folder / "model.safetensors")
    (folder / "card.json").write_text(card(source=source))


class Options(Config):
    dim: int = 0


class Toy(Component):
    def resolve(self, reference):
        return {"toys:imported": imported, "toys:converted": converted}[reference]


COMPONENT = Toy(SPEC, "toys", "fmb-toys", "1.0")

PUBLISHED = {
    ".gitattributes": b"*.safetensors filter=lfs",
    "README.md": b"# AION",
    "config.json": b'{"dim": 4}',
    "model.safetensors": save(
        {"encoder": np.arange(400_000, dtype=np.float32), "decoder": np.ones(5, np.float32)}
    ),
    "codecs/image/config.json": b'{"levels": [7, 5]}',
    "codecs/image/model.safetensors": save({"codec": np.ones(3, np.float32)}),
}
WANTED = sorted(name for name in PUBLISHED if not name.startswith((".", "README")))


class Workplace:
    """A workspace, and what tests do in one."""

    published: ClassVar = PUBLISHED
    wanted: ClassVar = WANTED
    spec: ClassVar = SPEC
    toy: ClassVar = Toy
    card = staticmethod(card)

    def __init__(self, home):
        self.home = home

    def fetch(self, reference=f"hf:{REPO}", **options):
        given = {"consider": lambda offer: None, "accept": lambda sha256: True, **options}
        asked = f"toy {reference}"
        return download(HubReference.parse(reference), self.home, asked=asked, **given)

    def resolve(self, reference="base", **options):
        return resolve_weights(
            COMPONENT, reference, Options(), seed=0, workspace=self.home, **options
        )

    def folders(self):
        """What looks finished in the place of downloads."""
        found = self.home.glob("weights/hub/*/*")
        return [p.name for p in found if not p.name.startswith(".")]

    def fails(self, kind, told, **options):
        """The download fails with one line and leaves nothing that looks finished."""
        with pytest.raises(kind, match=told) as raised:
            self.fetch(**options)
        assert "\n" not in str(raised.value)
        assert self.folders() == []
        assert not (self.home / "weights.lock").exists()

    def works(self):
        """A repeat downloads the files as they were published."""
        found = self.fetch()
        assert self.folders() == [FIRST]
        for name in WANTED:
            assert (found.folder / name).read_bytes() == PUBLISHED[name]

    @staticmethod
    def checkpoint(path):
        torch.save({"state_dict": {"w": torch.ones(3)}}, path)
        return path


@pytest.fixture
def hub(monkeypatch):
    with HubStandIn(REPO, {FIRST: PUBLISHED}, {"main": FIRST}) as stand_in:
        monkeypatch.setenv("HF_ENDPOINT", stand_in.endpoint)
        monkeypatch.setattr("time.sleep", lambda seconds: None)  # between attempts of the client
        yield stand_in


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    # Read from HF_HOME when the client of the hub was imported, which may be long ago.
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "hf" / "token"))
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


@pytest.fixture
def place(home):
    return Workplace(home)


@pytest.fixture
def cli(home, monkeypatch):
    registry = Registry()
    registry.add(COMPONENT)
    monkeypatch.setattr("fmb.plugins.loading.load_plugins", lambda: Plugins(registry, ()))
    monkeypatch.setattr(Toy, "load_config", lambda self: Options)

    def run(*arguments, **options):
        return CliRunner().invoke(main, ["weights", *arguments], **options)

    return run
