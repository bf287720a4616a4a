"""A sound weights folder and sound checkpoints, to be spoilt in one way."""

import io
import json
import os
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from fmb_astropt.network import draw_network
from fmb_astropt.presets import card_of, modalities_for
from fmb_astropt.recipes import Architecture, Recipe

IMAGE = {
    "bands": ("VIS", "NISP-Y", "NISP-J", "NISP-H"), "size_px": 32, "min_size_px": 32,
    "patch_px": 16, "patch_order": "raster", "patch_layout": "c p1 p2", "scaling": "none",
}  # fmt: skip
SIZES = {"n_layer": 1, "n_head": 2, "n_embd": 8, "block_size": 1024}


class Strange:
    """Writes weights that a stranger gives; every method returns what goes after `--weights`."""

    def __init__(self, place: Path) -> None:
        self.place, self.canary = place, place / "canary"
        recipe = Recipe.model_validate({"image": IMAGE})
        sizes = Architecture.model_validate({**SIZES, "modalities": modalities_for(recipe)})
        self.sound: dict[str, Any] = json.loads(
            card_of(sizes, recipe, name="mine", summary="").model_dump_json()
        )
        self.tensors = {k: v.clone() for k, v in draw_network(sizes, 0).state_dict().items()}
        self.folder = place / "given"
        self.folder.mkdir()
        self.write(save(self.tensors))
        self.card()

    def write(self, body: bytes, name: str = "model.safetensors") -> Path:
        (self.folder / name).write_bytes(body)
        return self.folder

    def card(self, sizes: Mapping[str, Any] | None = None, **changes: Any) -> Path:
        """The card with other values; `sizes` are of the network."""
        architecture = {**self.sound["architecture"], **(sizes or {})}
        text = json.dumps({**self.sound, "architecture": architecture, **changes})
        return self.write(text.encode(), "card.json")

    def edited(self, old: str, new: str) -> Path:
        """The card with another text in the place of the first `old`."""
        text = (self.folder / "card.json").read_text()
        assert old in text
        return self.write(text.replace(old, new, 1).encode("utf-8", "surrogatepass"), "card.json")

    def linked(self, name: str, target: str) -> Path:
        (self.folder / name).unlink()
        (self.folder / name).symlink_to(target)
        return self.folder

    def pipe(self, name: str) -> Path:
        (self.folder / name).unlink()
        os.mkfifo(self.folder / name)
        return self.folder

    def saved(self, **changes: torch.Tensor) -> Path:
        """The folder with other tensors under the sound names."""
        first = next(iter(self.tensors))
        return self.write(save(self.tensors | {first: changes["first"]}))

    def header(self, change: Callable[[dict[str, Any]], Any], more: bytes = b"") -> Path:
        """The tensors below another header."""
        body = save(self.tensors)
        length = int.from_bytes(body[:8], "little")
        table = json.loads(body[8 : 8 + length])
        text = change(table)
        text = text if isinstance(text, bytes) else json.dumps(table).encode()
        return self.write(len(text).to_bytes(8, "little") + text + body[8 + length :] + more)

    def pickled(self, change: Callable[[dict[str, Any]], Any] = dict, name: str = "c.pt") -> Path:
        """A checkpoint of the original benchmark's kind, after a change of its content."""
        content = {"model": dict(self.tensors), "model_args": dict(SIZES), "config": {}}
        change(content)
        torch.save(content, self.place / name)
        return self.place / name

    def zipped(self, change: Callable[[dict[str, bytes]], Any], **options: Any) -> Path:
        """The checkpoint with other members."""
        path = self.pickled()
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        more = change(members) or {}
        with zipfile.ZipFile(path, "w", **options) as archive:
            for name, body in [*members.items(), *more.items()]:
                archive.writestr(name, body)
        return path

    def twice(self) -> Path:
        """A checkpoint whose pickle stands there twice."""
        path = self.pickled()
        with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's zipfile warns of what is wanted here
            archive.writestr("c/data.pkl", b"")
        return path

    def old(self, content: Any, cut: int = 0) -> Path:
        """A checkpoint in the format before torch 1.6, without its last `cut` bytes."""
        body = io.BytesIO()
        torch.save(content, body, _use_new_zipfile_serialization=False)
        return self.bytes(body.getvalue()[: len(body.getvalue()) - cut])

    @staticmethod
    def bomb() -> bytes:
        """A pickle whose key is a pair of a pair ... 60 times: its hash takes 2^60 steps."""
        pairs = b"".join(b"h" + bytes([n, 104, n]) + b"\x86q" + bytes([n + 1]) for n in range(60))
        return b"\x80\x02](K\x01q\x00" + pairs + b"e}h\x3cK\x01s."

    def tar(self) -> Path:
        """A tar file, as torch wrote them first."""
        body = io.BytesIO()
        with tarfile.open(fileobj=body, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("storages"))
        return self.bytes(body.getvalue())

    def around(self, home: Path) -> list[tuple[str, int]]:
        """What there is besides the workspace, with sizes."""
        there = [path for path in self.place.rglob("*") if not path.is_relative_to(home)]
        return sorted((str(path), path.lstat().st_size) for path in there)

    @property
    def payload(self) -> "Payload":
        """What an attacker pickles."""
        return Payload(self.canary)

    def bytes(self, body: bytes, name: str = "c.pt") -> Path:
        (self.place / name).write_bytes(body)
        return self.place / name

    def shards(
        self, change: Callable[[dict[str, str]], Any] = dict, own: tuple[str, ...] = ("a", "b")
    ) -> Path:
        """Two shards of one tensor each and their index, for AstroCLIP."""
        folder = self.place / "sharded"
        folder.mkdir()
        for shard, name in zip(("one", "two"), own, strict=True):
            body = save({name: torch.ones(2)})
            (folder / f"{shard}.safetensors").write_bytes(body)
        places = {"a": "one.safetensors", "b": "two.safetensors"}
        made = change(places)
        index = {"weight_map": places} if not isinstance(made, list) else made[0]
        path = folder / "model.safetensors.index.json"
        path.write_text(json.dumps(index))
        return path


class Payload:
    """Unpickling it makes the canary."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.canary),)


@pytest.fixture
def strange(tmp_path: Path) -> Strange:
    return Strange(tmp_path)
