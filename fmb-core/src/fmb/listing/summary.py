"""A run in a few lines: what it is of, and its lists with the words that pick them."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from fmb.labels.shown import Shown
from fmb.listing.list_words import Lists, words_for
from fmb.terminal.values import counted

__all__ = ["summary_lines"]

WIDTH = 80
LISTS = 12
"""Lists that are shown; `run.lists` shows all."""


def summary_lines(
    name: str, manifest: Mapping[str, Any], lists: Lists, shown: Shown
) -> Iterator[str]:
    """Lines of at most 80 characters, from what the manifest says: no other file is read.

    Args:
        name: of the run.
        manifest: its own.
        lists: its own.
        shown: which labelled objects it shows.
    """
    counts, dataset = manifest["objects"], manifest["dataset"]
    survey = dataset.get("name") or dataset.get("file", "")
    rows, sources = counts["rows"], counts["sources"]
    distinct = f" ({counted(sources, 'source')})" if sources != rows else ""
    yield _cut(f"run {name}: {counted(rows)}{distinct}{f' of {survey}' if survey else ''}")
    if shown:
        parts = (("only", shown.only), ("without", shown.without))
        yield _cut("shown: " + "; ".join(f"{w} {', '.join(c)}" for w, c in parts if c))
    models = [
        f"{label} ({one['weights'].get('name') or one['weights_state']})"
        for label, one in manifest["models"].items()
    ]
    if models:
        told = "models: " if len(models) > 1 else "model: "
        yield from wrap(told + ", ".join(models), WIDTH, subsequent_indent="  ")
    yield from _list_lines(lists, [record["ranked"] for record in manifest["lists"]])


def _list_lines(lists: Lists, ranked: Sequence[int]) -> Iterator[str]:
    words = [words_for(name, lists) for name in lists[:LISTS]]
    counts = [f"{count:,} ranked" for count in ranked[:LISTS]]
    longest = max(map(len, counts), default=0)
    width = min(max(map(len, words), default=0), WIDTH - longest - 4)
    for few, count in zip(words, counts, strict=True):
        yield f"  {_cut(few, width):<{width}}  {count:>{longest}}"
    if len(lists) > LISTS:
        yield f"  and {len(lists) - LISTS} lists more: run.lists"


def _cut(text: str, width: int = WIDTH) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
