"""Weights: what a card says of them, and how a reference becomes a checked folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from fmb.config import Config
from fmb.errors import WeightsError, did_you_mean
from fmb.paths import ensure_folder
from fmb.provenance import content_key, file_sha256
from fmb.registry import Component
from fmb.specs import Accepts, ModelSpec, WeightsSpec
from fmb.store import publish, publish_json, read_json

__all__ = ["Card", "Lock", "Weights", "read_card", "resolve_weights"]

CARD = "card.json"
TENSORS = "model.safetensors"
LOCK = "weights.lock"


class Card(Config):
    """`card.json` of a weights folder: everything a model needs besides the tensors.

    The folder holds this card and, unless `random_seed` is set, the `files`.
    """

    format: Literal["fmb-weights/1"] = "fmb-weights/1"
    model: str
    """Name of the model spec these weights are for."""
    name: str
    """Short name used in folder names: "random", "tiny", a checkpoint's name."""
    summary: str = ""
    architecture: dict[str, Any]
    """Sizes; what the model needs to build the network."""
    preprocessing: dict[str, Any]
    """The tokenisation preset: resampling, scaling, patches."""
    accepts: tuple[Accepts, ...]
    """What these weights can be fed; replaces the model's general list."""
    files: tuple[str, ...] = (TENSORS,)
    """Files of tensors beside the card, relative to it; every one is digested."""
    random_seed: int | None = None
    """Set when the weights are drawn from this seed, not trained."""
    training: dict[str, Any] | None = None
    """Data identity and digest, recipe, base weights."""
    licence: str = ""
    source: str = ""


@dataclass(frozen=True)
class Weights:
    """Weights that were found and whose card was read."""

    name: str
    folder: Path
    card: Card
    sha256: Mapping[str, str]
    """File name -> digest."""

    @property
    def identity(self) -> dict[str, Any]:
        """What a content key holds of them."""
        return {"name": self.name, "sha256": dict(self.sha256)}


def resolve_weights(
    component: Component, reference: str, config: Config, *, seed: int, workspace: Path
) -> Weights:
    """The weights folder that `reference` stands for, with its card.

    Args:
        component: the model.
        reference: a name the model declares, a weights folder or a checkpoint file.
        config: the model's configuration; it shapes weights that are drawn or imported.
        seed: for weights that are drawn.
        workspace: where drawn and imported weights are kept.

    Raises:
        WeightsError: nothing answers to the reference, or the folder is not one of this model.
    """
    spec = component.spec
    assert isinstance(spec, ModelSpec)
    for declared in spec.weights:
        if reference == declared.name:
            return _declared(component, declared, config, seed=seed, workspace=workspace)
    if reference.startswith("hf:"):
        raise WeightsError(
            f"weights {reference!r}: this version downloads nothing;"
            " fetch the folder yourself and give its path"
        )
    path = Path(reference).expanduser()
    if not path.exists():
        names = [w.name for w in spec.weights]
        hint = did_you_mean(reference, names)
        raise WeightsError(
            f"weights {reference!r} of {spec.name}: no such name, folder or file{hint}"
        )
    if path.is_dir():
        return open_folder(spec, path)
    return _imported(component, path, config, workspace=workspace)


def open_folder(spec: ModelSpec, folder: Path, *, name: str = "") -> Weights:
    """The weights in `folder`, their card checked against the model and their files digested.

    Raises:
        WeightsError: there is no card, it is for another model, or the tensors are missing.
    """
    card = read_card(folder)
    if card.model not in (spec.name, *spec.aliases):
        raise WeightsError(f"{folder}: these weights are for {card.model!r}, not {spec.name!r}")
    digests = {CARD: file_sha256(folder / CARD)}
    if card.random_seed is None:
        for name_of_file in card.files:
            if not (folder / name_of_file).is_file():
                raise WeightsError(f"{folder}: {name_of_file} is missing")
            digests[name_of_file] = file_sha256(folder / name_of_file)
    return Weights(name or card.name, folder, card, digests)


def read_card(folder: Path) -> Card:
    """The card of a weights folder.

    Raises:
        WeightsError: it is missing or not a card.
    """
    path = folder / CARD
    if not path.is_file():
        raise WeightsError(
            f"{folder} is not a weights folder: it has no {CARD}; a checkpoint is given by its file"
        )
    try:
        return Card.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WeightsError(f"{path}: not a weights card: {where}: {first['msg']}") from None


def _declared(
    component: Component, declared: WeightsSpec, config: Config, *, seed: int, workspace: Path
) -> Weights:
    spec = component.spec
    assert isinstance(spec, ModelSpec)
    if declared.card:
        card: Card = component.resolve(declared.card)(config, seed)
        body = json.dumps(card.model_dump(mode="json"), indent=1, sort_keys=True).encode()
        key = content_key(card.model_dump(mode="json"))[:8]
        folder = ensure_folder(workspace / "weights" / f"{spec.name}-{declared.name}-{key}")
        if not (folder / CARD).exists():
            publish(folder / CARD, body + b"\n")
        return open_folder(spec, folder, name=declared.name)
    scheme, _, rest = declared.location.partition(":")
    if scheme != "package":
        raise WeightsError(
            f"weights {declared.name!r} of {spec.name} are published as {declared.location};"
            " this version downloads nothing: fetch the folder yourself and give its path"
        )
    package, _, inner = rest.partition("/")
    with as_file(files(package).joinpath(inner)) as folder:
        return open_folder(spec, folder, name=declared.name)


def _imported(component: Component, path: Path, config: Config, *, workspace: Path) -> Weights:
    """A published checkpoint file, converted once and kept under its digest."""
    spec = component.spec
    assert isinstance(spec, ModelSpec)
    if not spec.importer:
        raise WeightsError(f"{path}: {spec.name} loads weights folders, not single files")
    origin = {"sha256": file_sha256(path), "config": config.model_dump(mode="json")}
    key = content_key({"origin": origin, "version": component.version, "rev": spec.revision})[:8]
    folder = workspace / "weights" / f"{spec.name}-{path.stem}-{key}"
    if not (folder / "origin.json").exists():
        component.resolve(spec.importer)(path, ensure_folder(folder), config)
        publish_json(folder / "origin.json", origin)
    return open_folder(spec, folder)


class Lock:
    """`weights.lock` of a workspace: the digests that somebody has looked at and accepted."""

    def __init__(self, workspace: Path) -> None:
        self._path = workspace / LOCK
        self._known: dict[str, dict[str, str]] = (
            read_json(self._path) if self._path.exists() else {}
        )

    def state(self, weights: Weights) -> Literal["drawn", "verified", "unverified"]:
        """Whether these weights were accepted before; drawn weights need no acceptance.

        Raises:
            WeightsError: they were accepted with other digests.
        """
        if weights.card.random_seed is not None:
            return "drawn"
        accepted = self._known.get(self._key(weights))
        if accepted is None:
            return "unverified"
        changed = [name for name, digest in weights.sha256.items() if accepted.get(name) != digest]
        if changed:
            raise WeightsError(
                f"{weights.folder}: {', '.join(changed)} changed since {self._path} was written;"
                " if that is intended run `fmb weights verify --accept`"
            )
        return "verified"

    def accept(self, weights: Weights) -> None:
        """Write the digests of `weights` down."""
        self._known[self._key(weights)] = dict(weights.sha256)
        ensure_folder(self._path.parent)
        publish_json(self._path, self._known)

    @staticmethod
    def _key(weights: Weights) -> str:
        return f"{weights.card.model}:{weights.name}:{weights.folder.resolve()}"
