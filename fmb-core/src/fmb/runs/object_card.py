"""All that a run tells of one object, as values and as lines to be read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from textwrap import wrap
from typing import Any

import pandas as pd

from fmb.datasets.quality import Finding, summary
from fmb.labels.book import Event
from fmb.listing.list_titles import measured_lines, titles
from fmb.listing.list_words import words_for
from fmb.runs.labelled_run import LabelledRun
from fmb.runs.places import Place, place_of
from fmb.scoring.alike import NEIGHBOURS
from fmb.scoring.ranking import describe
from fmb.terminal.values import one_line, value_text

__all__ = ["ObjectCard"]

WIDTH = 80


@dataclass(frozen=True, repr=False)
class ObjectCard:
    """The object at `row` of a run's objects; a notebook shows all that is told of it."""

    run: LabelledRun
    row: int

    @property
    def object_id(self) -> str:
        """Its id as text."""
        return str(self.run.objects["object_id"].iloc[self.row])

    @cached_property
    def label(self) -> Event | None:
        """Who labelled it how, None where nobody did."""
        return self.run.labelled().held.get(self.row)

    @cached_property
    def places(self) -> list[Place]:
        """Its place in each list."""
        return [place_of(self.run, name, self.row) for name in self.run.lists]

    @property
    def catalog(self) -> dict[str, Any]:
        """Its catalogue row; column by column, because a row of numbers would be all floats."""
        objects = self.run.objects
        return {str(c): objects[c].iloc[self.row] for c in objects if c != "object_id"}

    @property
    def details(self) -> dict[str, dict[str, Any]]:
        """List -> what its detector tells besides the score; units are in `run.details(list)`."""
        return {
            str(one.list): {str(c): table[c].iloc[self.row] for c in table}
            for one, table in self._told_beside()
        }

    def _told_beside(self) -> Iterator[tuple[Place, pd.DataFrame]]:
        for one in self.places:
            if one.score is not None and self.run.folder.details(one.list).exists():
                yield one, self.run.details(one.list)

    @property
    def quality(self) -> list[Mapping[str, Any]]:
        """What is wrong with its data."""
        return [f for f in self.run.manifest["quality"] if f["object_id"] == self.object_id]

    def values(self) -> dict[str, Any]:
        """Everything, as plain values."""
        return {
            "object_id": self.object_id,
            "label": None if self.label is None else self.label.record(),
            "catalog": self.catalog,
            "lists": [{**vars(one), "list": str(one.list)} for one in self.places],
            "details": self.details,
            "quality": self.quality,
        }

    def facts(self) -> Iterator[str]:
        """One line for its label and each catalogue value that is known."""
        if self.label is not None:
            yield f"labelled {self.label.name} by {self.label.who}, {self.label.time[:16]}"
        units = self.run.objects.attrs.get("units", {})
        for column, value in self.catalog.items():
            if told := value_text(value):
                yield f"{one_line(column)} = {told} {units.get(column, '')}".rstrip()

    def rows(self) -> list[dict[str, str]]:
        """A row a list, as texts."""
        calibrated = any(one.p_value is not None for one in self.places)
        compared = any(one.percentile_cond is not None for one in self.places)
        rows, named = [], titles([one.list for one in self.places])
        for one in self.places:
            told = "not ranked" if one.rank is None else describe(one.rank, one.ranked)
            row = {
                "list": named[one.list],
                "place": told.partition(" (")[0] if calibrated else told,
            }
            if compared:
                row["among alike"] = _among_alike(one.percentile_cond)
            row["score"] = _digits(one.score, 4)
            if calibrated:
                row["p"], row["q"] = _digits(one.p_value, 2), _digits(one.q_value, 2)
            rows.append(row)
        return rows

    def remarks(self) -> Iterator[str]:
        """Below the table: why it is not ranked, and what detectors tell besides."""
        for one in self.places:
            if one.why:
                yield f"{one.list}: {'not ranked, ' if one.score is None else ''}{one.why}"
        said: set[str] = set()
        for one, table in self._told_beside():
            units = table.attrs.get("units", {})
            meanings = {
                column: f" ({meaning})"
                for column, meaning in self.run.record(one.list).get("meanings", {}).items()
                if meaning not in said  # of several lists the first says it
            }
            said.update(self.run.record(one.list).get("meanings", {}).values())
            texts = [
                f"{c} {value_text(table[c].iloc[self.row], 4)} {units.get(c, '')}".rstrip()
                + meanings.get(str(c), "")
                for c in table
                if not str(c).startswith("percentile.")  # of a member, whose place stands above
            ]
            yield f"{words_for(one.list, self.run.lists)}: {', '.join(texts)}"
        yield from measured_lines(self.run.lists)

    @property
    def title(self) -> str:
        """Which object it is, of which run."""
        return f"object {one_line(self.object_id)} of run {self.run.name}"

    def __repr__(self) -> str:
        facts = [line for fact in self.facts() for line in _wrapped(fact, "  ")]
        table = pd.DataFrame(self.rows())
        table = table.apply(lambda column: column.str.ljust(column.str.len().max()))
        text = table.to_string(index=False, justify="left", line_width=WIDTH)
        rows = [line.rstrip() for line in text.splitlines()]
        told = [line for remark in self._told() for line in _wrapped(remark)]
        return "\n".join([self.title, *facts, *rows, *told])

    def _repr_html_(self) -> str:
        facts = "".join(f"<li>{escape(fact)}</li>" for fact in self.facts())
        told = "".join(f"<p>{escape(remark)}</p>" for remark in self._told())
        table = pd.DataFrame(self.rows()).to_html(index=False)
        return f"<b>{escape(self.title)}</b><ul>{facts}</ul>{table}{told}"

    def _told(self) -> Iterator[str]:
        yield from self.remarks()
        found = [Finding(**finding) for finding in self.quality]
        yield from (f"data quality: {line}" for line in summary(found))


def _wrapped(text: str, indent: str = "") -> list[str]:
    return wrap(text, WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ")


def _among_alike(percentile: float | None) -> str:
    """A percentile among alike in words, as "top 0.2 %"; "" where there is none."""
    if percentile is None:
        return ""
    return describe(NEIGHBOURS * (1 - percentile) + 1, NEIGHBOURS).partition(" (")[0]


def _digits(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}g}"
