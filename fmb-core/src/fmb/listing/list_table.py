"""Tables of lists: whose rows are objects with their scores, and which say of which list."""

from typing import Any

import pandas as pd

from fmb.contract.names import ListName
from fmb.order.positions import stable_order
from fmb.scoring.ranking import describe

__all__ = ["free_column", "of_list", "strangest", "texts_of"]

COLUMNS = ("redshift", "label")
"""Catalogue columns shown beside a score where they exist."""
LIST_COLUMNS = ("detector", "given", "view", "embedder", "model")


def of_list(table: pd.DataFrame, name: ListName, *, at: int) -> pd.DataFrame:
    """The table with columns that say which list it is, from column `at` on."""
    table = table.copy()
    for column in LIST_COLUMNS:
        value = getattr(name, column)
        table.insert(at, column, value if isinstance(value, str) else ", ".join(value))
    return table


def strangest(objects: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Objects that have a score with their scores, strangest first; ties as `objects` has them.

    A source comes once. A catalogue column called like one of a list gets "catalog_" before it.
    """
    listed = {*scores, *LIST_COLUMNS}
    clashing = {c: free_column(str(c), objects) for c in objects if c in listed}
    objects = objects.rename(columns=clashing)
    in_list = scores["score"].notna() & ~scores["is_repeat"].fillna(False).astype(bool)
    rows = in_list.to_numpy().nonzero()[0]
    rows = rows[stable_order(scores["rank"].to_numpy(float)[rows])]
    return pd.concat([t.iloc[rows].reset_index(drop=True) for t in (objects, scores)], axis=1)


def free_column(column: str, taken: pd.DataFrame) -> str:
    """What a catalogue column is called where one of a list has its name."""
    name = f"catalog_{column}"
    return name if name not in taken else free_column(name, taken)


def texts_of(table: pd.DataFrame, ranked: int) -> list[dict[str, str]]:
    """The rows of a list as people read them, by column; `ranked` is how many objects it has."""
    rows = []
    calibrated = table["q_value"].notna().any()
    labelled = (table["class"] != "").any()
    for item in table.to_dict("records"):
        row = {"rank": f"{item['rank']:.12g}", "object": str(item["object_id"])}
        if labelled:
            row["class"] = item["class"]
        # The rank stands before it and the number of all above the table.
        row["place"] = describe(item["rank"], ranked).partition(" (")[0]
        row["score"] = f"{item['score']:.4g}"
        if calibrated:
            row["p"], row["q"] = (_short(item[name]) for name in ("p_value", "q_value"))
        if "percentile_fitted" in item:
            among = item["percentile_fitted"]
            row["fitted"] = "" if pd.isna(among) else f"{100 * among:.4g} %"
        # Beside its place among the fitted a screen has room for one of them: labels say more.
        for column in COLUMNS[::-1] if "percentile_fitted" in item else COLUMNS:
            value = item.get(column)
            if value is not None and not pd.isna(value) and value != "":
                row[column] = f"{value:.3f}" if isinstance(value, float) else str(value)
            elif column in table:
                row[column] = ""
        rows.append(row)
    return rows


def _short(value: Any) -> str:
    return "" if pd.isna(value) else f"{value:.2g}"
