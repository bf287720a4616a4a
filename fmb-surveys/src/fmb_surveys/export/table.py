"""The table that leaves FMB: objects with their places in lists, labels and catalogue."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd

from fmb import Array, ListName, Run
from fmb.datasets import changed_copies
from fmb_surveys.export.exported import Column, Exported, Field, Part

__all__ = ["label_lines", "long_table", "short_names", "wide_table"]

_PLACE = ("object_id", "ra", "dec")
_SCORES = (
    "rank",
    "score",
    "percentile",
    "percentile_cond",
    "percentile_fitted",
    "p_value",
    "q_value",
    "is_repeat",
    "fold",
)
_SHORT = {"p_value": "p", "q_value": "q"}
_LABELS = {"class": "name", "class_by": "who", "class_time": "time"}
"""Column -> field of a label."""

_FIELDS = {
    "object_id": Field("id of the object in its survey", ucd="meta.id;meta.main"),
    "ra": Field("right ascension", "deg", "pos.eq.ra;meta.main"),
    "dec": Field("declination", "deg", "pos.eq.dec;meta.main"),
    "list": Field("name of the list", ucd="meta.id"),
    "model": Field("label of the model", ucd="meta.id"),
    "embedder": Field("label of the embedder", ucd="meta.id"),
    "view": Field("view of the model", ucd="meta.id"),
    "detector": Field("label of the detector", ucd="meta.id"),
    "given": Field("roles of the catalogue that the list is given, empty = none", ucd="meta.note"),
    "rank": Field("1 = strangest; of a repeat that of its source", ucd="stat.rank"),
    "score": Field("higher is stranger", ucd="stat.value"),
    "percentile": Field("1 for the strangest, towards 0 for the others", ucd="stat.rank"),
    "percentile_cond": Field(
        "percentile among the objects alike in brightness, S/N ...", ucd="stat.rank"
    ),
    "percentile_fitted": Field(
        "share of the objects of the run whose fits score that are no stranger", ucd="stat.rank"
    ),
    "p_value": Field("chance of such a score among the reference", ucd="stat.probability"),
    "q_value": Field("false-discovery rate of the list ending here", ucd="stat.probability"),
    "is_repeat": Field("another row of its source is ranked for it", ucd="meta.code"),
    "fold": Field("fold of the cross-fit, -1 = one fit", ucd="meta.code"),
    "class": Field("label given by hand, empty = none", ucd="meta.code.class"),
    "class_by": Field("who gave the label", ucd="meta.curation"),
    "class_time": Field("when, UTC", ucd="time.processing"),
}
_FIELDS |= {f"label_{name}": _FIELDS[name] for name in _LABELS}
_ROLES = {
    "magnitude": "phot.mag",
    "size": "phys.angSize",
    "redshift": "src.redshift",
    "snr": "stat.snr",
    "psf": "instr.det.psf",
    "ebv": "phot.color.excess",
    "class": "meta.code.class",
    "group": "meta.id.assoc",
    "survey": "meta.dataset",
}
"""Role -> UCD of the catalogue's column that plays it; what others hold nobody knows."""


def long_table(run: Run, names: Sequence[ListName], top: int | None) -> Exported:
    """One row an object and list, strangest first within a list.

    Args:
        run: shows all objects, or those with some labels.
        names: lists of it.
        top: so many of each list, each source once; None = all objects in it, repeats too.
    """
    kept, labels = _kept(run), _labels(run)
    parts = []
    for name in names:
        scores = run.scores(name)
        rows = _rows(scores, kept & run.kept(name), top)
        own = {c: getattr(name, c) for c in ("model", "embedder", "view", "detector")}
        same = {"list": name.stem, **own, "given": ", ".join(name.given)}
        columns: dict[str, Column] = {c: run.objects[c] for c in _there(run.objects)}
        columns |= {column: partial(_repeated, text) for column, text in same.items()}
        columns |= {column: _values(scores, column) for column in _told(scores)}
        parts.append(Part(columns | labels, rows))
    return _with_catalog(parts, dict(_FIELDS), run.objects)


def wide_table(run: Run, names: Sequence[ListName], top: int | None) -> Exported:
    """One row an object, with columns of its own for each list.

    The order is that of the first list that is made of others, as `any-view` is and as screens have
    it; of objects that it lacks, or without such a list, the best rank in any list comes first.

    Args:
        run: shows all objects, or those with some labels.
        names: lists of it.
        top: objects that are among so many of a list; None = all objects of the run.
    """
    kept = _kept(run)
    best = np.full(len(run.objects), np.inf)
    lead = next((name for name in names if _of_lists(name)), None)
    first = best
    listed = np.zeros(len(run.objects), dtype=bool)
    columns: dict[str, Column] = {c: run.objects[c] for c in _there(run.objects)}
    fields = dict(_FIELDS)
    for name, short in short_names(names).items():
        scores = run.scores(name)
        listed[_rows(scores, kept & run.kept(name), top)] = True
        rank = scores["rank"].to_numpy(dtype=np.float64, na_value=np.nan)
        best = np.fmin(best, rank)
        first = np.where(np.isnan(rank), np.inf, rank) if name == lead else first
        for column in _told(scores):
            if column in _SHORT and scores[column].isna().all():
                continue  # there is no reference
            own, field = f"{_SHORT.get(column, column)}_{short}", _FIELDS[column]
            columns[own], fields[own] = _values(scores, column), field.of(short, name.given)
    rows = np.flatnonzero(kept if top is None else listed)
    then = np.where(np.isinf(first), best, 0)  # equal ranks stay in the order of ids
    rows = rows[np.lexsort((then[rows], first[rows]))]
    return _with_catalog([Part(columns | _labels(run), rows)], fields, run.objects)


def _of_lists(name: ListName) -> bool:
    return any(isinstance(one, ListName) for one in name.of)


def _told(scores: pd.DataFrame) -> list[str]:
    """The columns of a list that leave it; some are there in lists by other fits only."""
    return [column for column in _SCORES if column in scores]


def _values(scores: pd.DataFrame, column: str) -> pd.Series:
    """A column of a list; one that has no object repeats it, so that all lists have one type."""
    values = scores[column]
    return values.fillna(False).astype(bool) if column == "is_repeat" else values


def short_names(names: Sequence[ListName]) -> dict[ListName, str]:
    """What tells each list from the others in a column's name: view and detector, if they do."""
    for parts in (("view", "detector"), ("model", "view", "detector"), ("stem",)):
        short = {name: _word("_".join(getattr(name, part) for part in parts)) for name in names}
        if len({one.lower() for one in short.values()}) == len(names):
            return short
    return {name: f"{_word(name.stem)}_{n}" for n, name in enumerate(names, 1)}


def _kept(run: Run) -> Array:
    """Objects that are shown: those with some labels, and no changed copy of another."""
    kept: Array = run.shown.keeps(run.labels) & ~changed_copies(run.objects)
    return kept


def _rows(scores: pd.DataFrame, kept: Array, top: int | None) -> Array:
    """Rows of the objects of a list that are shown, strangest first."""
    there = scores["score"].notna().to_numpy() & kept
    repeat = scores["is_repeat"].fillna(False).to_numpy(dtype=bool)
    rows = np.flatnonzero(there & ~repeat if top is not None else there)
    # Objects are in the order of their ids, which decides between equal ranks.
    order = np.lexsort((rows, repeat[rows], scores["rank"].to_numpy(dtype=float)[rows]))
    return rows[order][:top]


def label_lines(run: Run) -> Iterator[str]:
    """Under which names labels by hand stand, where the catalogue has one of their own."""
    if _before_labels(run):
        own = next(str(c) for c in run.objects if str(c).lower() in _LABELS)
        yield f"labels given by hand stand in label_class: the catalogue has a column {own!r}"


def _labels(run: Run) -> dict[str, Column]:
    held, before = run.labelled(), _before_labels(run)
    return {f"{before}{n}": pd.Series(held.column(field)) for n, field in _LABELS.items()}


def _before_labels(run: Run) -> str:
    """What stands before the names of labels, "" where no column of the catalogue has one.

    Names that differ only in case are alike: readers of FITS do not tell them apart.
    """
    own = {str(column).lower() for column in run.objects}
    return "label_" if own.intersection(_LABELS) else ""


def _repeated(text: str, rows: Array) -> pd.Series:
    return pd.Series([text] * len(rows), dtype=object)


def _there(objects: pd.DataFrame) -> list[str]:
    return [column for column in _PLACE if column in objects]


def _with_catalog(
    parts: Sequence[Part], fields: dict[str, Field], objects: pd.DataFrame
) -> Exported:
    """With the catalogue's columns last; one called like another gets "catalog_" before its name.

    Names that differ only in case are alike: readers of FITS do not tell them apart.
    """
    units = objects.attrs.get("units", {})
    plays = {column: role for role, column in objects.attrs.get("roles", {}).items()}
    taken = {column.lower() for part in parts for column in part.columns}
    catalog: dict[str, Column] = {}
    for column in map(str, objects.drop(columns=_there(objects))):
        name = column
        while name.lower() in taken:
            name = f"catalog_{name}"
        taken.add(name.lower())
        catalog[name] = objects[column]
        ucd = _ROLES.get(plays.get(column, column), "")
        fields[name] = Field("of the catalogue", units.get(column, ""), ucd)
    return Exported([Part({**part.columns, **catalog}, part.rows) for part in parts], fields)


def _word(text: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in text)
