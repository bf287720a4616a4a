"""The tables of demo-results.md: what each column finds of each kind, and the first against all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fmb import ListName, Run
from fmb_analyses.evaluate.differences import difference
from fmb_analyses.evaluate.evaluation import sees
from fmb_analyses.evaluate.question import Question
from fmb_analyses.evaluate.screen import NOBODY, mean_of
from fmb_analyses.evaluate.truth import Kind
from fmb_analyses.results import Measured
from fmb_surveys.planting import KINDS

STRENGTHS = {"weak": 0.0, "middle": 0.5, "strong": 1.0}
FAMILIES = ("science", "pairing", "artefact")
TOP = 0.01
TABLES = {
    "AUROC": ("auroc_own_hosts", "Against the unchanged hosts of the kind but the own one."),
    "AUROC against all": ("auroc", "Against every unchanged object but the host."),
    "Recall in the top 1 %": (
        "recall_top_percent",
        "Of the copies, the share above all but 1 % of the unchanged objects; chance is 0.01.",
    ),
}
ABOUT = (
    "Each anomaly is planted in a copy of a host; the host stays as it was. Detectors are fitted"
    " on objects without anomalies, cross-fitted; a copy is scored by the fit that has not seen its"
    " host. A kind is judged in the view that was declared to see it before anything was computed."
    " Intervals draw hosts. See [evaluating](evaluating.md)."
)
NOTES = (
    "Weights called `random` are drawn, not trained. PCA-100 are 100 principal components of the"
    " pixels; the catalogue is magnitudes, colours, size, redshift and signal-to-noise. These are"
    " the floor that trained weights have to beat. Kinds that only a mismatch between image and"
    " spectrum can show are given in the joint view; what compares views finds more of them:"
    " [list-results](list-results.md). `expected` is what a sane trained encoder should reach.",
    "Weights are trained on simulated surveys of another seed. What was chosen by what it finds"
    " (patches and pooling of AstroPT's `tiny`) was chosen on one of a third seed.",
    "A heading names the model, its weights and the instruments through which it sees a galaxy."
    " Trails, cosmic rays and columns are planted in `euclid` VIS only: `legacysurvey` does not"
    " have them.",
)


@dataclass(frozen=True, eq=False)
class Column:
    """What was scored: a model of a run, or what stands in its place."""

    name: str
    model: str
    question: Question
    run: Run

    @cached_property
    def lists(self) -> list[ListName]:
        """Its lists."""
        return [name for name in self.run.lists if name.model == self.model]

    def list_for(self, kind: Kind, detector: str) -> ListName | None:
        """The list of a detector that sees a kind; None where there is none."""
        of_detector = [name for name in self.lists if name.detector == detector]
        return next((name for name in of_detector if sees(name, kind.view)), None)

    def value(self, kind: Kind, detector: str, metric: str, strength: float | None) -> str:
        """A measure as a cell of a table."""
        return cell(self.measured(kind, detector, metric, strength))

    def measured(
        self, kind: Kind, detector: str, metric: str, strength: float | None = None
    ) -> Measured | None:
        """A measure of a kind; None where no list sees it, or has any of it."""
        name = self.list_for(kind, detector)
        for result in self.question.of(name, kind) if name else ():
            same = result.about["conditions"]["strength"] == strength
            if same and result.about["metric"] == metric:
                return result.measured
        return None


def page(columns: list[Column], command: str) -> Iterator[str]:
    """The paragraphs of the page, in Markdown; the first column is compared with the others."""
    first, kinds = columns[0], columns[0].question.truth.kinds
    seen = [kind for kind in kinds if kind.view != NOBODY]
    detectors = list(dict.fromkeys(name.detector for name in first.lists))
    yield "# What is found on the simulated survey"
    yield f"Written by `{command}`; do not edit below."
    yield ABOUT
    yield from NOTES
    yield f"## {first.name} less the others"
    yield (
        "Differences of the AUROC against all, all strengths, on the same copies and resamples."
        " Above and below: the interval leaves out 0."
    )
    for detector in detectors:
        yield f"### {detector}"
        yield from differences(columns, seen, detector)
    for title, (metric, about) in TABLES.items():
        for detector in detectors:
            yield f"## {title}, {detector}"
            yield about
            yield by_strength(columns, seen, detector, metric)
    yield "## Negative controls"
    yield (
        "Mean percentile of a copy less that of its host, all strengths. Nothing should be found:"
        " within 0.02. Only the catalogue may see a wrong redshift."
    )
    yield controls(columns, [kind for kind in kinds if kind.view == NOBODY])
    yield "## The bad sky cell"
    yield (
        "One cell of the sky is bad in everything. Its share of the top 1 % of the unchanged"
        " objects, and of all of them; a list that follows data quality has far more."
    )
    yield cell_table(columns)


def differences(columns: list[Column], seen: Sequence[Kind], detector: str) -> Iterator[str]:
    """On which science kinds the first column is above or below each other, then by how much."""
    first, others = columns[0], columns[1:]
    found = {
        (kind.name, other.name): less(first, other, kind, detector)
        for kind in seen
        for other in others
    }
    science = [kind.name for kind in seen if kind.family == "science"]
    for other in others:
        values = {name: found[name, other.name] for name in science}
        above = [name for name, value in values.items() if value and (value.low or 0) > 0]
        below = [name for name, value in values.items() if value and (value.high or 0) < 0]
        yield (
            f"{first.name} is above {other.name} on {listed(above)} of the {len(science)} science"
            f" kinds and below it on {listed(below)}."
        )
    lines = heading(["kind", "view"], [f"less {other.name}" for other in others])
    for kind in seen:
        cells = [cell(found[kind.name, other.name]) for other in others]
        lines.append(row([kind.name, kind.view, *cells]))
    for family in FAMILIES:
        of_family = [kind.name for kind in seen if kind.family == family]
        means = [mean([found[name, other.name] for name in of_family]) for other in others]
        lines.append(row([f"*{family}*", "", *means]))
    yield "\n".join(lines)


def less(first: Column, other: Column, kind: Kind, detector: str) -> Measured | None:
    """AUROC of the first column less that of another, all strengths."""
    ours, theirs = (column.list_for(kind, detector) for column in (first, other))
    if ours is None or theirs is None:
        return None
    pair = difference((first.question, ours), (other.question, theirs), kind)
    return next((one.measured for one in pair if one.about["metric"] == "auroc_less"), None)


def by_strength(columns: list[Column], seen: Sequence[Kind], detector: str, metric: str) -> str:
    """One row a kind and strength, then the means of the families; one column an entrant."""
    lines = heading(["kind", "view", "expected", "strength"], [c.name for c in columns])
    for kind in seen:
        declared = KINDS[kind.name]
        expected = f"{declared.auroc[0]:g}-{declared.auroc[1]:g}"
        for label, strength in {**(STRENGTHS if declared.parameter else {}), "all": None}.items():
            cells = [column.value(kind, detector, metric, strength) for column in columns]
            lines.append(row([kind.name, kind.view, expected, label, *cells]))
    for family in FAMILIES:
        of_family = [kind for kind in seen if kind.family == family]
        means = [mean([c.measured(k, detector, metric) for k in of_family]) for c in columns]
        lines.append(row([f"*{family}*", "", "", "all", *means]))
    return "\n".join(lines)


def controls(columns: list[Column], kinds: Sequence[Kind]) -> str:
    """How far copies move that must not be found, in every list."""
    lines = heading(["kind", "list"], [column.name for column in columns])
    for kind in kinds:
        for detector, view in dict.fromkeys((n.detector, n.view) for n in columns[0].lists):
            cells = []
            for column in columns:
                same = [n for n in column.lists if n.detector == detector]
                name = next((n for n in same if n.view in (view, "catalogue")), None)
                results = column.question.of(name, kind) if name else []
                shift = [r for r in results if r.about["metric"] == "shift"]
                over_all = [r for r in shift if r.about["conditions"]["strength"] is None]
                cells.append(cell(over_all[0].measured if over_all else None, "+.3f"))
            lines.append(row([kind.name, f"{detector} {view}", *cells]))
    return "\n".join(lines)


def cell_table(columns: list[Column]) -> str:
    """Shares of the bad cell of the sky, one row a list."""
    lines = heading(["scores", "view"], ["share of the top 1 %", "share of all", "ratio"])
    for column in columns:
        for name in column.lists:
            ranked = column.run.ranked(name)
            bad = (ranked["cell"] == ranked.groupby("cell")["depth"].median().idxmin()).to_numpy()
            top, every = bad[: max(1, round(TOP * len(bad)))].mean(), bad.mean()
            shares = [f"{top:.3f}", f"{every:.3f}", f"{top / every:.1f}"]
            lines.append(row([f"{column.name}, {name.detector}", name.view, *shares]))
    return "\n".join(lines)


def listed(names: list[str]) -> str:
    """How many, and which."""
    return f"{len(names)} ({', '.join(names)})" if names else "none"


def mean(values: Sequence[Measured | None]) -> str:
    """The mean over kinds as a cell; a dash where a kind has no value."""
    known = [value for value in values if value is not None and value.value is not None]
    return str(mean_of(known)) if known and len(known) == len(values) else "-"


def cell(one: Measured | None, form: str = ".2f") -> str:
    """A value with its interval; a dash where there is none."""
    if one is None or one.value is None:
        return "-"
    low, high = (np.nan if bound is None else bound for bound in (one.low, one.high))
    return f"{one.value:{form}} [{low:{form}}, {high:{form}}]"


def heading(first: list[str], names: Sequence[str]) -> list[str]:
    """The two top lines of a table."""
    cells = [*first, *names]
    return ["| " + " | ".join(cells) + " |", "|" + "---|" * len(cells)]


def row(cells: Sequence[str]) -> str:
    """A line of a table."""
    return "| " + " | ".join(cells) + " |"
