"""Fits of a list as files, conditioning and detector: kept, and taken up again for new objects."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fmb.blocks.stored import Stored
from fmb.conditioning.conditioned import REVISION, Conditioning, Piece
from fmb.conditioning.level import Level
from fmb.conditioning.polynomials import Polynomial
from fmb.contract.arrays import Array
from fmb.contract.vectors import Judged
from fmb.crossfit.checked import Checked
from fmb.crossfit.fitted import score_each
from fmb.crossfit.given import Given, Transforms
from fmb.messages.errors import ShapeError, StoreError
from fmb.store.atomic import ensure_folder, publish, publish_json, read_record
from fmb.store.tensors import map_tensors, tensor_bytes

__all__ = ["KeptFits", "load_fits", "save_fits"]

FOLD, GIVEN, ARRAYS, VALUES = "fold", "given", "conditioning.safetensors", "conditioning.json"
OFFSETS = "offsets.json"


@dataclass(frozen=True, eq=False)
class KeptFits:
    """All fits of a list, ready for objects that none of them has seen."""

    detectors: tuple[Checked, ...]
    names: tuple[str, ...]
    """Roles that the list is given; () = none."""
    given: tuple[Transforms, ...]
    """What each detector sees objects through; () = as they are."""

    def score_each(self, x: Judged | Stored | Given) -> Array:
        """Scores of n objects by each fit: (fits, n), float64, higher is stranger.

        Args:
            x: vectors or pairs; with their roles, NaN where unknown, where the list is given some.

        Raises:
            ShapeError: roles are missing or others, or the vectors have another width.
            PluginError, ScoreError: as `fmb.crossfit.scored.score_each`.
        """
        names = x.names if isinstance(x, Given) else ()
        if names != self.names:
            told, got = (", ".join(some) or "no roles" for some in (self.names, names))
            raise ShapeError(f"the list was fitted given {told}, the new objects come with {got}")
        return score_each(self.detectors, x, self.given)

    def score(self, x: Judged | Stored | Given) -> Array:
        """The mean of `score_each` over the fits, (n,), float64."""
        return np.asarray(self.score_each(x).mean(axis=0))


def save_fits(
    folder: Path, detectors: Sequence[Checked], names: Sequence[str], given: Sequence[Transforms]
) -> None:
    """Write fits into `folder`: "fold-0" of the detector, "given-0" of its conditioning.

    What is taken off the scores of each fit, so that all share one scale, is in "offsets.json".

    Args:
        folder: made where it is not there.
        detectors: fitted ones, which can be saved.
        names: roles that they are given.
        given: their transforms, () = none.
    """
    for fold, detector in enumerate(detectors):
        detector.detector.save(ensure_folder(folder / f"{FOLD}-{fold}"))
    publish_json(folder / OFFSETS, {"offsets": [one.offset for one in detectors]})
    for fold, transforms in enumerate(given):
        place = ensure_folder(folder / f"{GIVEN}-{fold}")
        arrays = {
            f"{view}.{i}.{name}": array
            for view, transform in enumerate(transforms)
            for i, piece in enumerate(transform.pieces)
            for name, array in _arrays(piece).items()
        }
        for view, transform in enumerate(transforms):
            for i, level in enumerate(transform.level):
                arrays |= _level_arrays(f"{view}.{i}.level", level)
        publish(place / ARRAYS, tensor_bytes(arrays))
        degrees = [[piece.polynomial.degree for piece in one.pieces] for one in transforms]
        publish_json(
            place / VALUES, {"revision": REVISION, "roles": list(names), "degrees": degrees}
        )


def load_fits(folder: Path, load: Callable[[Path], Any], label: str) -> KeptFits:
    """The fits that `save_fits` wrote.

    Args:
        folder: "detectors/<list>" of a run, or "fits" of a kept list.
        load: the detector's own `load`.
        label: names it in messages.

    Raises:
        StoreError: the folder holds no fits, or they are damaged or of another version.
    """
    folds = len(list(folder.glob(f"{FOLD}-*")))
    if not folds:
        raise StoreError(f"{folder} holds no fits; a detector that cannot be saved leaves none")
    detectors = [
        Checked(load(folder / f"{FOLD}-{i}"), f"{label}, fold {i}").accept() for i in range(folds)
    ]
    offsets = read_record(folder / OFFSETS).get("offsets", [])
    if len(offsets) != folds:
        raise StoreError(f"{folder / OFFSETS} is damaged; make its list anew")
    for detector, offset in zip(detectors, offsets, strict=True):
        detector.offset = float(offset)
    if not (folder / f"{GIVEN}-0").exists():
        return KeptFits(tuple(detectors), (), ())
    read = [_read(folder / f"{GIVEN}-{i}") for i in range(folds)]
    return KeptFits(tuple(detectors), read[0][0], tuple(transforms for _, transforms in read))


def _arrays(piece: Piece) -> dict[str, Array]:
    polynomial = piece.polynomial
    return {
        "roles": np.array(polynomial.roles, dtype=np.int64),
        "centre": polynomial.centre,
        "spread": polynomial.spread,
        "means": piece.means,
        "shrinks": piece.shrinks,
        "sizes": piece.sizes,
        "inverse": piece.inverse,
    }


def _level_arrays(at: str, level: Level) -> dict[str, Array]:
    scale = np.array([level.zero, level.spread])
    return {f"{at}.means": level.means, f"{at}.shrinks": level.shrinks, f"{at}.scale": scale}


def _read(place: Path) -> tuple[tuple[str, ...], Transforms]:
    record, arrays = read_record(place / VALUES), map_tensors(place / ARRAYS)
    if record.get("revision") != REVISION:
        raise StoreError(f"{place} is of another version of the conditioning; make its list anew")
    try:
        transforms = tuple(
            Conditioning(
                tuple(_piece(arrays, f"{view}.{i}.", d) for i, d in enumerate(degrees)),
                _levels(arrays, view, len(degrees)),
            )
            for view, degrees in enumerate(record["degrees"])
        )
        return tuple(record["roles"]), transforms
    except (KeyError, TypeError) as error:
        raise StoreError(f"{place} is damaged at {error}; make its list anew") from None


def _piece(arrays: dict[str, Array], at: str, degree: int) -> Piece:
    roles = tuple(np.asarray(arrays[f"{at}roles"]).tolist())
    polynomial = Polynomial(
        roles, degree, np.array(arrays[f"{at}centre"]), np.array(arrays[f"{at}spread"])
    )
    means, shrinks, sizes, inverse = (
        np.array(arrays[f"{at}{name}"]) for name in ("means", "shrinks", "sizes", "inverse")
    )
    return Piece(polynomial, means, shrinks, sizes, inverse)


def _levels(arrays: dict[str, Array], view: int, pieces: int) -> tuple[Level, ...]:
    """Those of the first view; the others have none."""
    if f"{view}.0.level.means" not in arrays:
        return ()
    return tuple(_level(arrays, f"{view}.{i}.level") for i in range(pieces))


def _level(arrays: dict[str, Array], at: str) -> Level:
    means, shrinks, scale = (
        np.array(arrays[f"{at}.{name}"]) for name in ("means", "shrinks", "scale")
    )
    return Level(float(scale[0]), means, shrinks, float(scale[1]))
