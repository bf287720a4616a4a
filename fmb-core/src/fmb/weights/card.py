"""What a weights folder says of itself: `card.json`."""

from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeVar

from pydantic import ValidationError, field_validator

from fmb.contract.config import Config, build
from fmb.contract.errors import ConfigError, WeightsError
from fmb.contract.model import Accepts

__all__ = ["CARD", "TENSORS", "Card", "read_card"]

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
