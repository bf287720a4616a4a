"""What a weights folder says of itself: `card.json`."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeVar

from pydantic import ValidationError, field_validator

from fmb.contract.config import Config
from fmb.contract.errors import ConfigError, WeightsError
from fmb.contract.model import Accepts
from fmb.plugins.settings import build
from fmb.store.atomic import ensure_folder, publish

__all__ = ["CARD", "TENSORS", "Card", "read_card", "write_folder"]

CARD = "card.json"
TENSORS = "model.safetensors"

A = TypeVar("A", bound=Config)
P = TypeVar("P", bound=Config)


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
    embedder: str = ""
    """Reduction of the tokens when none is asked for; "" = the model's first."""
    files: tuple[str, ...] = (TENSORS,)
    """Files of tensors beside the card, relative to it; every one is digested."""
    random_seed: int | None = None
    """Set when the weights are drawn from this seed, not trained."""
    training: dict[str, Any] | None = None
    """Data identity and digest, recipe, base weights."""
    licence: str = ""
    source: str = ""

    @field_validator("files")
    @classmethod
    def _tensors_inside(cls, files: tuple[str, ...]) -> tuple[str, ...]:
        for name in files:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or path.suffix != ".safetensors":
                raise ValueError(f"{name!r} is no safetensors file in the folder")
        return files

    @property
    def contents(self) -> tuple[str, ...]:
        """Files the folder must hold, the card first; weights that are drawn have no others."""
        return (CARD, *(self.files if self.random_seed is None else ()))

    def unpack(
        self, where: str, model: str, architecture: type[A], preprocessing: type[P]
    ) -> tuple[A, P]:
        """Both tables as the records a model keeps them in.

        Args:
            where: names the card in messages.
            model: the model that reads it.
            architecture: class of the sizes.
            preprocessing: class of the tokenisation preset.

        Raises:
            WeightsError: it is for another model, or a value is wrong.
        """
        if self.model != model:
            raise WeightsError(
                f"{where}: these weights are for model {self.model!r}, not {model!r}"
            )
        try:
            return (
                build(architecture, self.architecture, "architecture"),
                build(preprocessing, self.preprocessing, "preprocessing"),
            )
        except ConfigError as error:
            raise WeightsError(f"{where}: {error}") from None


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


def write_folder(
    folder: Path, card: Card, files: Iterable[tuple[str, bytes | Iterable[bytes]]]
) -> None:
    """Write a weights folder, the card last: where it is, the folder is whole.

    Args:
        folder: made when it is not there.
        card: of the weights; its `files` are those written, or some that are there already.
        files: name, relative to the folder, and content of each file, whole or in parts.

    Raises:
        FailedError: the disk is full or the folder cannot be written to.
    """
    for name, body in files:
        ensure_folder((folder / name).parent)
        publish(folder / name, body)
    ensure_folder(folder)
    publish(folder / CARD, card.model_dump_json(indent=1).encode() + b"\n")
