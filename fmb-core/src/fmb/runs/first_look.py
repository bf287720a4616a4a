"""The first look at a run: the lists that another is made of side by side, and what each found."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from fmb.contract.names import ListName
from fmb.files.ids import locate
from fmb.listing.list_table import texts_of
from fmb.listing.list_words import words_for
from fmb.runs.run import Run

__all__ = ["beside", "found_lines", "places", "short_names"]

LOOKS = 20
"""Objects of a list among which planted ones are counted."""


def short_names(names: Sequence[ListName]) -> dict[ListName, str]:
    """What lists are called side by side: a view, for a pair its detector; else words that pick."""
    short = {name: name.view if len(name.vectors) == 1 else name.detector for name in names}
    counts = Counter(short.values())
    return {
        name: text if counts[text] == 1 else words_for(name, names) for name, text in short.items()
    }


def places(run: Run, lead: ListName, k: int) -> list[dict[str, str]]:
    """The k strangest objects of a list made of others, with their ranks in each of those.

    Returns:
        A row an object, as texts: rank, object, a rank a member ("-" where it is not in that list),
        then what the catalogue tells.
    """
    members = [one for one in lead.of if isinstance(one, ListName)]
    top, ids = run.top(k, list=lead), run.objects["object_id"].to_numpy()
    at = locate(top["object_id"].to_numpy(), ids)
    ranks = {}
    for member, title in short_names(members).items():
        rank = run.scores(member)["rank"].to_numpy(dtype=np.float64, na_value=np.nan)[at]
        ranks[title] = ["-" if np.isnan(one) else f"{one:,.12g}" for one in rank]
    rows = []
    for i, row in enumerate(texts_of(top, run.record(lead)["ranked"])):
        first = {"rank": row.pop("rank"), "object": row.pop("object")}
        del row["place"], row["score"]  # a rank says the same, and of a fusion no more is known
        rows.append({**first, **{title: told[i] for title, told in ranks.items()}, **row})
    return rows


def beside(run: Run, names: Sequence[ListName], k: int) -> list[dict[str, str]]:
    """The ids of the k strangest objects of each list, a column a list."""
    columns = {
        title: run.top(k, list=name)["object_id"].astype(str).tolist()
        for name, title in short_names(names).items()
    }
    most = max(map(len, columns.values()), default=0)
    return [
        {
            "rank": str(i + 1),
            **{title: ids[i] if i < len(ids) else "" for title, ids in columns.items()},
        }
        for i in range(most)
    ]


def found_lines(run: Run, names: Sequence[ListName]) -> Iterator[str]:
    """How many of the planted objects stand among the first of each list, best list first.

    Nothing where nobody knows what was planted: that is of simulated surveys only, in which every
    object that is not of the commonest class was planted.
    """
    column = run.objects.attrs.get("roles", {}).get("class")
    simulated = any(note["code"] == "simulated" for note in run.manifest["notes"])
    if column is None or not simulated:
        return
    classes = run.objects[column].astype(str)
    common = classes.mode().iloc[0]
    titles = short_names(names)
    found = []
    for name in names:
        table = run.ranked(name)
        shares = np.mean(table[column].astype(str) != common)
        counts = table[column].astype(str).head(LOOKS).value_counts(sort=True)
        counts = counts[counts.index != common]
        found.append((int(counts.sum()), titles[name], counts, LOOKS * float(shares)))
    chance = max(one[3] for one in found)
    yield f"planted objects among the first {LOOKS} of each list (chance {chance:.1f}):"
    for number, title, counts, _ in sorted(found, key=lambda one: -one[0]):
        kinds = ", ".join(f"{kind} {count}" for kind, count in counts.items())
        yield f"  {title} {number}{f' ({kinds})' if kinds else ''}"
