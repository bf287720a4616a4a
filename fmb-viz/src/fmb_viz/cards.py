"""What is written about each object of the gallery."""

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fmb import Array, ConfigError, DataError, did_you_mean
from fmb.scoring import describe

__all__ = ["Card", "cards", "known", "plain_card", "short"]

_JOIN = "\N{NO-BREAK SPACE}" * 2
"""Keeps a long id on the line of its rank."""


@dataclass(frozen=True)
class Card:
    """One object in words."""

    row: int
    """Position among the cutouts."""
    heading: str
    """Rank and id."""
    texts: tuple[str, ...]
    """Standing, score and catalogue values, each to be kept whole."""
    label: str
    """What the object is known to be; empty when it is not known."""
    redshift: float | None
    """Finite and above -1, or None."""


def known(value: Any) -> str:
    """The text of a label; empty for a missing or blank one."""
    missing = pd.api.types.is_scalar(value) and pd.isna(value)  # a list is neither
    return "" if missing else " ".join(str(value).split())


def short(value: float) -> str:
    """Four digits of a number, with a true minus sign."""
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")


def cards(
    ids: Array,
    scores: pd.DataFrame,
    objects: pd.DataFrame,
    facts: Sequence[str] | None,
) -> list[Card]:
    """Cards of the objects `ids`, strangest first.

    Args:
        ids: (n,), of the cutouts; each must have been ranked.
        scores: object_id, score, rank; one row for each object of the ranking.
        objects: object_id and catalogue columns.
        facts: catalogue columns to print; None = redshift and the first magnitude.

    Raises:
        DataError: a cutout has no score or no entry in the catalogue.
        ConfigError: a column of `facts` is not in the catalogue.
    """
    shown = _shown_facts(objects, facts, "outlier-grid")
    scored = {key: i for i, key in enumerate(scores["object_id"].tolist())}
    listed = {key: i for i, key in enumerate(objects["object_id"].tolist())}
    # Labels may hide a part of a list; a place is one among all.
    ranked = int(scores.attrs.get("ranked", len(scores)))
    made = []
    for row, key in enumerate(ids.tolist()):
        if key not in scored or key not in listed:
            lacks = "score" if key not in scored else "entry in the catalogue"
            raise DataError(f"object {key} has a cutout but no {lacks}; draw the files of one run")
        at = scored[key]
        rank = float(scores["rank"].iloc[at])
        score = float(scores["score"].iloc[at])
        standing = (describe(rank, ranked), f"score {short(score)}")
        values = {name: objects[name].iloc[listed[key]] for name in _columns(objects, shown)}
        made.append((rank, _card(row, f"#{rank:,.10g}{_JOIN}{key}", standing, values, shown)))
    return [card for _, card in sorted(made, key=lambda pair: pair[0])]


def plain_card(heading: str, objects: pd.DataFrame, facts: Sequence[str] | None) -> Card:
    """The card of an object that no list has ranked.

    Args:
        heading: printed first.
        objects: its row of the catalogue, and no other.
        facts: catalogue columns to print; None = redshift and the first magnitude.

    Raises:
        ConfigError: a column of `facts` is not in the catalogue.
    """
    shown = _shown_facts(objects, facts, "object-page")
    values = {name: objects[name].iloc[0] for name in _columns(objects, shown)}
    return _card(0, heading, (), values, shown)


def _shown_facts(
    objects: pd.DataFrame, facts: Sequence[str] | None, figure: str
) -> tuple[str, ...]:
    """The catalogue columns to print, which must be there where they are named."""
    for name in facts or ():
        if name not in objects.columns:
            hint = did_you_mean(name, map(str, objects.columns))
            raise ConfigError(f"{figure}.facts: the catalogue has no column {name!r}{hint}")
    return _default_facts(objects) if facts is None else tuple(facts)


def _default_facts(objects: pd.DataFrame) -> tuple[str, ...]:
    names = [str(name) for name in objects.columns]
    magnitudes = [name for name in names if name.lower() == "mag" or name.lower()[:4] == "mag_"]
    return tuple(name for name in names if name == "redshift") + tuple(magnitudes[:1])


def _columns(objects: pd.DataFrame, shown: Sequence[str]) -> set[str]:
    return {*shown, *({"label", "redshift"} & set(objects.columns))}


def _card(
    row: int,
    heading: str,
    standing: Sequence[str],
    values: Mapping[str, Any],
    shown: Sequence[str],
) -> Card:
    facts = [(name, _value(values[name])) for name in shown]
    redshift = _finite(values.get("redshift"))
    return Card(
        row=row,
        heading=heading,
        texts=(*standing, *(f"{name} {text}" for name, text in facts if text)),
        label=known(values.get("label")),
        redshift=redshift if redshift is not None and redshift > -1.0 else None,
    )


def _value(value: Any) -> str:
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral):
        finite = _finite(value)
        return "" if finite is None else short(finite)
    return known(value)


def _finite(value: Any) -> float | None:
    if not isinstance(value, numbers.Real) or not math.isfinite(value):
        return None
    return float(value)
