"""What a reader of a run's numbers must know, in lines: each thing once, the weightiest first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fmb.datasets.quality import Finding, summary
from fmb.terminal.values import counted

__all__ = ["owner_lines", "quality_lines", "remarks"]

WEIGHT = {"simulated": 0, "detector": 1, "fold-shift": 1, "small-survey": 1}
"""Codes of notes that say what the numbers of lists are worth -> which come first."""


def remarks(manifest: Mapping[str, Any]) -> Iterator[str]:
    """One line each: the objects, what lists and inputs are worth, the rest."""
    yield _objects(manifest["objects"])
    notes = sorted(manifest["notes"], key=lambda note: WEIGHT.get(note["code"], len(WEIGHT)))
    first = dict.fromkeys(note["text"] for note in notes if note["code"] in WEIGHT)
    yield from first
    yield from _without(manifest["vectors"])
    yield from quality_lines(manifest["quality"])
    yield from dict.fromkeys(note["text"] for note in notes if note["text"] not in first)
    for record in manifest["lists"]:
        yield from owner_lines(record)
    yield from manifest["calibration"]


def owner_lines(record: Mapping[str, Any]) -> list[str]:
    """Which fields own more of a list than their share; `record` as in a manifest."""
    return [f"{record['title']}: {told}" for told in record.get("owners", ())]


def _objects(counts: Mapping[str, int]) -> str:
    repeats = counts["rows"] - counts["sources"]
    told = f", {counted(repeats, 'repeat')} of others (one group, or within 1 arcsec), ranked once"
    return f"{counted(counts['rows'])}{told if repeats else ''}"


def _without(vectors: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Why how many objects have no vector, the views of a model in one line."""
    views: dict[tuple[str, str], dict[str, int]] = {}
    for entry in vectors:
        name = entry["name"]
        for why, count in entry.get("unusable", {}).items():
            views.setdefault((name["model"], why), {})[name["view"]] = count
    for (model, why), counts in views.items():
        told = ", ".join(f"{view} {count:,}" for view, count in counts.items())
        yield f"{model} has no vector of some objects: {why} ({told})"


def quality_lines(findings: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is wrong with the data, by problem, naming the worst; `findings` as in a manifest."""
    return [f"data quality: {line}" for line in summary([Finding(**f) for f in findings])]
