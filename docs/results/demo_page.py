"""The tables of demo-results.md: what each column finds of each kind, and the first against all."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
import planted

from fmb_analyses.bootstrap import Interval
from fmb_surveys.planting import KINDS, Kind

STRENGTHS = {"weak": 0.0, "middle": 0.5, "strong": 1.0}
VIEW_OF = {"image": "image", "spectrum": "spectrum", "mismatch": "joint"}
FAMILIES = ("science", "pairing", "artefact")
ABOUT = (
    "Each anomaly is planted in a copy of a host; the host stays as it was. Detectors are fitted"
    " on objects without anomalies, cross-fitted; a copy is scored by the fit that has not seen its"
    " host. The AUROC of a kind compares its copies with the uninjected hosts of all of them but"
    " their own, in the view that was declared to see it before anything was computed. Intervals"
    " draw hosts."
)
NOTES = (
    "Weights called `random` are drawn, not trained. PCA-100 are the 100 principal components of"
    " the pixels, as given to the first model that takes plain pixels; the catalogue is magnitudes,"
    " colours, size, redshift and signal-to-noise. These are the floor that trained weights have to"
    " beat. Kinds that only a mismatch between image and spectrum can show are given in the joint"
    " view: no detector here compares views. `expected` is what a sane trained encoder should"
    " reach.",
    "Weights are trained on simulated surveys of another seed. What was chosen by what it finds"
    " (patches and pooling of AstroPT's `tiny`) was chosen on one of a third seed.",
    "A heading names the model, its weights and the instruments through which it sees a galaxy."
    " Trails, cosmic rays and columns are planted in `euclid` VIS only: `legacysurvey` does not"
    " have them.",
)


@dataclass(frozen=True)
class Entrant:
    """A column: what was scored, by which detector, in each view."""

    name: str
    detector: str
    scores: dict[str, pd.Series]


def page(objects: pd.DataFrame, entrants: list[Entrant], command: str) -> Iterator[str]:
    """The paragraphs of the page, in Markdown; the first column is compared with the others."""
    yield "# What is found on the simulated survey"
    yield f"Written by `{command}`; do not edit below."
    yield ABOUT
    yield from NOTES
    detectors = dict.fromkeys(e.detector for e in entrants)
    compared = {
        detector: Comparison(objects, [e for e in entrants if e.detector == detector])
        for detector in detectors
    }
    yield f"## {entrants[0].name} against the others"
    yield "Above and below: the interval of the difference leaves out 0."
    for detector, comparison in compared.items():
        yield f"{detector}: " + " ".join(comparison.verdicts())
    for detector, comparison in compared.items():
        yield f"## {entrants[0].name} less the others, {detector}"
        yield "Differences of AUROC, all strengths, on the same copies, hosts and resamples."
        yield comparison.differences()
    for detector, comparison in compared.items():
        yield f"## AUROC, {detector}"
        yield comparison.by_strength(planted.compared)
    for detector, comparison in compared.items():
        yield f"## Recall in the top 1 %, {detector}"
        yield "Of the copies, the share above all but 1 % of the unchanged objects; chance is 0.01."
        yield comparison.by_strength(planted.recall_in_top)
    yield "## Negative controls"
    yield (
        "AUROC, all strengths. Nothing should be found: 0.50 +- 0.05. Only the catalogue may see a"
        " wrong redshift."
    )
    yield controls(objects, entrants)
    yield "## The bad sky cell"
    yield (
        "One cell of the sky is bad in everything. Its share of the top 1 % of the unchanged"
        " objects, and of all of them; a list that follows data quality has far more."
    )
    yield cell_table(objects, entrants)


@dataclass(frozen=True)
class Comparison:
    """What one detector makes of every column."""

    objects: pd.DataFrame
    columns: list[Entrant]

    def by_strength(self, measure: Callable[..., Interval | None]) -> str:
        """One row a kind and strength, then the means of the families; one column an entrant."""
        lines = heading(["kind", "view", "expected", "strength"], [e.name for e in self.columns])
        means: dict[str, list[list[Interval]]] = {family: [] for family in FAMILIES}
        for kind in seen():
            strengths = {**(STRENGTHS if kind.parameter else {}), "all": None}
            view = VIEW_OF[kind.view]
            for label, strength in strengths.items():
                values = [
                    measure(self.objects, e.scores[view], kind.name, strength) for e in self.columns
                ]
                lines.append(row([kind.name, view, expected(kind), label], values))
            means[kind.family].append([v for v in values if v is not None])
        for family, rows in means.items():
            lines.append(row([f"*{family}*", "", "", "all"], averages(rows, len(self.columns))))
        return "\n".join(lines)

    def difference(self, kind: Kind, other: Entrant) -> Interval | None:
        """AUROC of the first column less that of another, all strengths."""
        view = VIEW_OF[kind.view]
        ours, theirs = self.columns[0].scores[view], other.scores[view]
        return planted.compared(self.objects, ours, kind.name, None, theirs)

    def differences(self) -> str:
        """One row a kind, then the means of the families."""
        others = self.columns[1:]
        lines = heading(["kind", "view"], [f"less {e.name}" for e in others])
        means: dict[str, list[list[Interval]]] = {family: [] for family in FAMILIES}
        for kind in seen():
            values = [self.difference(kind, other) for other in others]
            lines.append(row([kind.name, VIEW_OF[kind.view]], values))
            means[kind.family].append([v for v in values if v is not None])
        for family, rows in means.items():
            lines.append(row([f"*{family}*", ""], averages(rows, len(others))))
        return "\n".join(lines)

    def verdicts(self) -> Iterator[str]:
        """On which science kinds the first column is above or below each other one."""
        first = self.columns[0].name
        for other in self.columns[1:]:
            values = {k.name: self.difference(k, other) for k in seen() if k.family == "science"}
            above = [name for name, value in values.items() if value and value.low > 0]
            below = [name for name, value in values.items() if value and value.high < 0]
            yield (
                f"{first} is above {other.name} on {listed(above)} of the {len(values)} science"
                f" kinds and below it on {listed(below)}."
            )


def seen() -> list[Kind]:
    """Kinds that some view should see."""
    return [kind for kind in KINDS.values() if kind.view != "nobody"]


def listed(names: list[str]) -> str:
    """How many, and which."""
    return f"{len(names)} ({', '.join(names)})" if names else "none"


def averages(rows: list[list[Interval]], columns: int) -> list[Interval | None]:
    """The mean of each column over kinds, whose errors are taken as independent."""
    full = [r for r in rows if len(r) == columns]
    means: list[Interval | None] = []
    for values in zip(*full, strict=True):
        mean = sum(v.value for v in values) / len(values)
        below = sum((v.value - v.low) ** 2 for v in values) ** 0.5 / len(values)
        above = sum((v.high - v.value) ** 2 for v in values) ** 0.5 / len(values)
        means.append(Interval(mean, mean - below, mean + above))
    return means or [None] * columns


def heading(first: list[str], names: Sequence[str]) -> list[str]:
    """The two top lines of a table."""
    cells = [*first, *names]
    return ["| " + " | ".join(cells) + " |", "|" + "---|" * len(cells)]


def row(first: list[str], values: Sequence[Interval | None]) -> str:
    """A line of a table; a dash where there is no value."""
    return "| " + " | ".join([*first, *("-" if v is None else str(v) for v in values)]) + " |"


def expected(kind: Kind) -> str:
    """The range declared for a kind."""
    return f"{kind.auroc[0]:g}-{kind.auroc[1]:g}"


def controls(objects: pd.DataFrame, entrants: list[Entrant]) -> str:
    """AUROC of what must not be found, in every view."""
    lines = heading(["kind", "view"], [f"{e.name}, {e.detector}" for e in entrants])
    for kind in KINDS.values():
        if kind.view == "nobody":
            for view in planted.VIEWS:
                values = [
                    planted.compared(objects, e.scores[view], kind.name, None) for e in entrants
                ]
                lines.append(row([kind.name, view], values))
    return "\n".join(lines)


def cell_table(objects: pd.DataFrame, entrants: list[Entrant]) -> str:
    """Shares of the bad cell, one row a column of the tables above."""
    lines = heading(["scores", "view"], ["share of the top 1 %", "share of all", "ratio"])
    for entrant in entrants:
        for view, scores in entrant.scores.items():
            top, every = planted.share_of_bad_cell(objects, scores)
            name = f"{entrant.name}, {entrant.detector}"
            lines.append(f"| {name} | {view} | {top:.3f} | {every:.3f} | {top / every:.1f} |")
    return "\n".join(lines)
