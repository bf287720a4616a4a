"""Runs and lists of scores as people read them."""

from typing import Any

import click
import pandas as pd

from fmb.cli.terminal import echo_json, is_quiet, table_text
from fmb.contract.names import ListName
from fmb.runs.run import Run
from fmb.scoring.ranking import describe

__all__ = ["print_list", "print_run"]

SHOWN = 5
"""Objects of each list that `fmb run` prints."""
COLUMNS = ("redshift", "label")
"""Catalogue columns shown beside a score where they exist."""


def print_run(run: Run, *, as_json: bool) -> None:
    """Print the strangest objects of each list, what to look at and what to know."""
    if as_json:
        echo_json({"run": run.name, "folder": str(run.folder.path), **run.manifest})
        return
    for name in run.lists:
        print_list(run, name, SHOWN)
    click.echo("")
    for figure in run.manifest["figures"]:
        click.echo(f"look at {run.folder.path / figure}")
    click.echo(f"more:  fmb top {run.name} -k 50    fmb object ID --run {run.name}")
    for line in () if is_quiet() else run.remarks():
        click.echo(f"note: {line}", err=True)


def print_list(run: Run, name: ListName, k: int) -> None:
    """Print the k strangest objects of one list."""
    ranked, top = run.record(name)["ranked"], run.top(k, name=name)
    rows = _rows(top, ranked)
    click.echo(f"\n{name}: the strangest of {ranked:,}\n{table_text(rows)}")


def _rows(table: pd.DataFrame, ranked: int) -> list[dict[str, Any]]:
    rows = []
    for item in table.to_dict("records"):
        row = {
            "rank": f"{item['rank']:g}",
            "object": str(item["object_id"]),
            "place": describe(item["rank"], ranked),
            "score": f"{item['score']:.4g}",
        }
        for column in COLUMNS:
            value = item.get(column)
            if value is not None and not pd.isna(value) and value != "":
                row[column] = f"{value:.3f}" if isinstance(value, float) else str(value)
            elif column in table:
                row[column] = ""
        if item.get("q_value") is not None and not pd.isna(item["q_value"]):
            row["p"], row["q"] = f"{item['p_value']:.2g}", f"{item['q_value']:.2g}"
        rows.append(row)
    return rows
