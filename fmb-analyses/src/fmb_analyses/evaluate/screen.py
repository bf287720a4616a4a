"""Results as people read them: a row a kind and list, within a screen."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fmb import ListName
from fmb_analyses.bootstrap import Interval
from fmb_analyses.evaluate.evaluation import Evaluation, sees
from fmb_analyses.evaluate.half_recall import strength_parts
from fmb_analyses.evaluate.truth import Kind, Truth
from fmb_analyses.results import Measured, Result

__all__ = [
    "Shown",
    "chance_line",
    "control_line",
    "control_rows",
    "empty_line",
    "less_rows",
    "mean_of",
    "rows_of",
    "warnings_of",
]

NOBODY = "nobody"
"""The view of a control: no list may find it."""
FEW = 50
"""Objects of a kind below which a number is quoted with a warning."""
ZERO = 0.02
"""The largest mean shift of a control."""

Cells = Mapping[str, Mapping[str, Measured]]


@dataclass(frozen=True)
class Shown:
    """A list as the table names it."""

    name: ListName
    floor: str = ""

    @property
    def words(self) -> str:
        """What stands in the place of a model, detector and view."""
        return self.without_view.replace(self.name.detector, f"{self.name.detector} {self.view}", 1)

    @property
    def without_view(self) -> str:
        """The same for lists of all views."""
        given = "given" if self.name.given else ""
        return " ".join(word for word in (self.floor, self.name.detector, given) if word)

    @property
    def view(self) -> str:
        """Its view, "" where it is said already."""
        return "" if self.name.view == self.floor else self.name.view


def rows_of(
    done: Evaluation, names: Mapping[str, Shown], *, every: bool = False
) -> list[dict[str, str]]:
    """What each list that sees a kind finds of it, then the mean of each family.

    Args:
        done: what was measured.
        names: digest of a list -> the list, of those that are shown.
        every: show also lists that do not see a kind.
    """
    rows = []
    families: dict[tuple[str, str], list[Measured]] = {}
    for kind, by_list in _table(done, names).items():
        for key, cells in by_list.items():
            about = cells["auroc"].about
            shown = names[key]
            view = about["declared_view"]
            if view == NOBODY or not (every or sees(shown.name, view)):
                continue
            measured = {metric: result.measured for metric, result in cells.items()}
            rows.append(
                {
                    "kind": kind,
                    "list": shown.words,
                    **_cells(measured, about["conditions"]["looks"]),
                }
            )
            if sees(shown.name, view):
                group = (about["family"], shown.without_view)
                families.setdefault(group, []).append(measured["auroc"])
    for (family, listed), values in families.items():
        if len(values) > 1 and family:
            row = {"kind": f"mean {family}", "list": listed, "AUROC": str(mean_of(values))}
            rows.append(dict.fromkeys(rows[0], "") | row)
    return rows


def control_rows(done: Evaluation, names: Mapping[str, Shown]) -> list[dict[str, str]]:
    """How far copies move that no list may find; a list that is given a redshift may find it."""
    rows = []
    for kind, by_list in _table(done, names).items():
        for key, cells in by_list.items():
            if cells["auroc"].about["declared_view"] != NOBODY or "shift" not in cells:
                continue
            if "redshift" in kind and "redshift" in cells["shift"].about["given"]:
                continue
            shift = cells["shift"].measured
            held = "yes" if abs(shift.value or 0.0) <= ZERO else "NO"
            moved = _interval(shift, "+.3f")
            row = {"control": kind, "list": names[key].words, "mean shift": moved}
            rows.append({**row, f"within {ZERO:g}": held})
    return rows


def empty_line(truth: Truth) -> str:
    """Why no list stands in the table of `rows_of`, and what to do."""
    if all(kind.view == NOBODY for kind in truth.kinds):
        return "all kinds are controls, which no list may find: no list is measured by them"
    return "no list sees a kind: --all-lists"


def control_line(truth: Truth, rows: Sequence[Mapping[str, str]]) -> str:
    """Which kinds are in no row of `rows_of` since no list may find them, "" where none is.

    Args:
        truth: what is looked for.
        rows: of `control_rows`; lists that are given what a control changes are not in it.
    """
    controls = [kind.name for kind in truth.kinds if kind.view == NOBODY]
    if not controls:
        return ""
    held = {row["control"] for row in rows}
    apart = [name for name in controls if name not in held]
    line = (
        f"controls, which no list may find, are in no row of the first table: {', '.join(controls)}"
    )
    return f"{line}; {', '.join(apart)} cannot be held against these lists" if apart else line


def less_rows(
    compared: Sequence[Result], names: Mapping[str, Shown], *, every: bool = False
) -> list[dict[str, str]]:
    """How much more a list finds than another, a row a kind and list.

    Args:
        compared: from `less_results`.
        names: digest of a list -> the list, of those that are shown.
        every: show also lists that do not see a kind.
    """
    cells: dict[tuple[str, str], dict[str, Result]] = {}
    for result in compared:
        about = result.about
        cells.setdefault((about["kind"], about["list"]), {})[about["metric"]] = result
    rows = []
    for (kind, key), found in cells.items():
        about = found["auroc_less"].about
        view = about["declared_view"]
        if view == NOBODY or not (every or sees(names[key].name, view)):
            continue
        less = about["conditions"]["less"]["detector"]
        row = {"kind": kind, "list": names[key].words}
        row[f"AUROC less {less}"] = _interval(found["auroc_less"].measured, "+.3f")
        if top := found.get("recall_top_percent_less"):
            row["top 1 %"] = _interval(top.measured, "+.2f")
        rows.append(row)
    return rows


def chance_line(done: Evaluation) -> str:
    """What chance gives in each column; how many of each kind that stands in lists in the looks."""
    about = done.results[0].about
    looks = about["conditions"]["looks"]
    line = "by chance: AUROC 0.5, top 1 % 0.01, "
    if done.truth.host is None:
        return f"{line}in {looks:,} looks {_looks_by_chance(done, looks)}"
    prevalence = about["conditions"]["prevalence"]
    return f"{line}{looks * prevalence:g} in {looks:,} looks (taken to be {prevalence:.2%} of all)"


def _looks_by_chance(done: Evaluation, looks: int) -> str:
    """How many of each kind stand in so many objects of a list: "0.3 lens, trail; 2 agn"."""
    share = dict[str, float]()
    for result in done.results:
        if result.about["metric"] == "precision":
            kind = result.about["kind"]
            share[kind] = max(result.measured.chance, share.get(kind, 0.0))
    kinds = dict[str, list[str]]()
    for kind, chance in share.items():
        kinds.setdefault(f"{looks * chance:.2g}", []).append(kind)
    return "; ".join(f"{number} {', '.join(names)}" for number, names in kinds.items())


def warnings_of(done: Evaluation) -> Iterator[str]:
    """What a reader of the numbers must know."""
    few: dict[str, int] = {}
    for result in done.results:
        if result.about["metric"] == "auroc" and not result.about["conditions"].get("strength"):
            known = few.get(result.about["kind"], result.measured.n_positive)
            few[result.about["kind"]] = max(known, result.measured.n_positive)
    scarce = {kind: n for kind, n in few.items() if n < FEW}
    unknown = [kind.name for kind in done.truth.kinds if _lacks_half(done.truth, kind)]
    if unknown:
        yield f"half needs steps of strength, or 30 copies over a range: {', '.join(unknown)}"
    if scarce:
        told = ", ".join(f"{kind} {n}" for kind, n in list(scarce.items())[:5])
        more = f" and {len(scarce) - 5} more" if len(scarce) > 5 else ""
        yield f"fewer than {FEW} objects of a kind say little: {told}{more}"
    yield from done.left_out


def _lacks_half(truth: Truth, kind: Kind) -> bool:
    """True where copies have strengths that do not tell at which half of them are found."""
    if truth.strength is None or kind.view == NOBODY:
        return False
    strength = truth.strength[kind.of_kind]
    return bool(np.isfinite(strength).any()) and not strength_parts(strength)


def mean_of(values: Sequence[Measured]) -> Interval:
    """The mean over kinds, whose errors are taken as independent; no bounds where one has none."""
    known = [bounded(m) for m in values]
    mean = sum(m.value for m in known) / len(known)
    below = sum((m.value - m.low) ** 2 for m in known) ** 0.5 / len(known)
    above = sum((m.high - m.value) ** 2 for m in known) ** 0.5 / len(known)
    return Interval(mean, mean - below, mean + above)


def bounded(one: Measured) -> Interval:
    """A measured value with its bounds, NaN where there are none; no value counts as 0."""
    low, high = (math.nan if bound is None else bound for bound in (one.low, one.high))
    return Interval(one.value or 0.0, low, high)


def _table(done: Evaluation, names: Mapping[str, Shown]) -> dict[str, dict[str, dict[str, Result]]]:
    """Kind -> list -> metric -> its result over all strengths."""
    table: dict[str, dict[str, dict[str, Result]]] = {}
    for kind in done.truth.kinds:
        table[kind.name] = {}
    for result in done.results:
        about = result.about
        if about["list"] in names and about["conditions"].get("strength") is None:
            cells = table[about["kind"]].setdefault(about["list"], {})
            cells[about["metric"]] = result
    return table


def _cells(measured: Mapping[str, Measured], looks: int) -> dict[str, str]:
    hits = (measured["precision"].value or 0.0) * looks
    cells = {
        "AUROC": _interval(measured["auroc"]),
        "top 1 %": _number(measured["recall_top_percent"]),
        f"in {looks:,}": f"{hits:.1f}",
    }
    if "auroc_own_hosts" in measured:
        cells["half"] = "-"
        if half := measured.get("strength_at_half_recall"):
            cells["half"] = "none" if half.value is None else f"{half.value:.2f}"
        cells["own"] = _number(measured["auroc_own_hosts"])
    return {**cells, "n": f"{measured['auroc'].n_positive:,}"}


def _interval(one: Measured, form: str = ".2f") -> str:
    return "-" if one.value is None else format(bounded(one), form)


def _number(one: Measured) -> str:
    return "-" if one.value is None else f"{one.value:.2f}"
