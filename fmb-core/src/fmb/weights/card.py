"""What a weights folder says of itself: `card.json`."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Self, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator

from fmb.contract.config import Config
from fmb.contract.model import Accepts
from fmb.foreign.strict_json import read_table
from fmb.messages.errors import ConfigError, WeightsError
from fmb.plugins.settings import build
from fmb.store.atomic import ensure_folder, publish
from fmb.store.folder_names import FOLDER_NAME, folder_name

__all__ = ["CARD", "TENSORS", "Card", "name_of", "read_card", "read_settings", "write_folder"]

CARD = "card.json"
TENSORS = "model.safetensors"
MOST_FILES = 100

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
    """Files of tensors beside the card, relative to it; every one is digested, no other loaded."""
    random_seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    """Set when the weights are drawn from this seed, not trained."""
    training: dict[str, Any] | None = None
    """Data identity and digest, recipe, base weights."""
    licence: str = ""
    source: str = ""

    @field_validator("model", "name")
    @classmethod
    def _fit_for_a_folder(cls, name: str) -> str:
        if not FOLDER_NAME.fullmatch(name):
            raise ValueError(
                f"{name[:40]!r} is no name: up to 200 letters, digits, dots, hyphens, underscores"
            )
        return name

    @field_validator("embedder")
    @classmethod
    def _none_or_a_name(cls, name: str) -> str:
        return name and cls._fit_for_a_folder(name)

    @field_validator("files")
    @classmethod
    def _tensors_inside(cls, files: tuple[str, ...]) -> tuple[str, ...]:
        if len(files) > MOST_FILES or len(set(files)) < len(files):
            raise ValueError(f"at most {MOST_FILES} files, each once")
        for name in files:
            plain = all(FOLDER_NAME.fullmatch(part) for part in name.split("/"))
            if not plain or PurePosixPath(name).suffix != ".safetensors":
                raise ValueError(f"{name[:80]!r} is no safetensors file in the folder")
        return files

    @model_validator(mode="after")
    def _tensors_or_a_seed(self) -> Self:
        if not self.files and self.random_seed is None:
            raise ValueError("files: weights that are not drawn (random_seed) list their tensors")
        return self

    @property
    def contents(self) -> tuple[str, ...]:
        """Files the folder must hold, the card first; weights that are drawn have no others."""
        return (CARD, *(self.files if self.random_seed is None else ()))

    def tensors(self, folder: Path, name: str = TENSORS) -> Path:
        """Where a model finds a file of tensors that it loads.

        What the card does not list is not digested: vectors would be taken for those of other
        tensors, and nobody could tell that these changed.

        Args:
            folder: that of the card.
            name: the file, relative to it.

        Raises:
            WeightsError: the card does not list it.
        """
        if name not in self.files:
            raise WeightsError(
                f"{folder / CARD}: files: {self.model} loads {name}, which is not listed;"
                " add it, so that it is digested"
            )
        return folder / name

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
    if not path.exists():
        raise WeightsError(
            f"{folder} is not a weights folder: it has no {CARD}; a checkpoint is given by its file"
        )
    try:
        return Card.model_validate(read_table(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        told = first["msg"].removeprefix("Value error, ")
        told = f"{where}: {told}" if where else told
        raise WeightsError(f"{path}: not a weights card: {told}") from None


def read_settings(path: Path) -> dict[str, Any]:
    """The table in a JSON file that came with weights, such as an upstream's `config.json`.

    Raises:
        WeightsError: it is missing, larger than 1 MiB, or no table of plain values.
    """
    return read_table(path)


def name_of(path: Path) -> str:
    """A name for weights that come from a file or folder: its own, made fit for a card."""
    return folder_name(path.name if path.is_dir() else path.stem, "weights")


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
