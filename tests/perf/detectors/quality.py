"""What the detectors find: labelled embeddings, planted anomalies, held-out likelihood."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from detectors.original_recipe import original_scores
from detectors.simulated import FAMILIES, clump, curved, moment_matched
from sklearn.neighbors import NearestNeighbors

from fmb import Vectors
from fmb_analyses.bootstrap import Interval, interval, paired_difference, resamples
from fmb_analyses.metrics import auroc, average_precision
from fmb_detectors.config import FlowConfig, GaussianConfig
from fmb_detectors.flow import FlowDetector
from fmb_detectors.gaussian import GaussianDetector

__all__ = ["likelihood_tables", "planted_table", "real_tables", "table"]

MEASURES = {"AUROC": auroc, "AP": average_precision}
PAIRS = {
    "gaussian - original": ("gaussian", "original"),
    "flow - gaussian": ("flow", "gaussian"),
    "flow alone - gaussian": ("flow alone", "gaussian"),
}
RESAMPLES = 2000
ALTERNATIVES = {
    "default": {},
    "learning_rate=2e-3": {"learning_rate": 2e-3},
    "learning_rate=8e-3": {"learning_rate": 8e-3},
    "learning_rate=3e-2": {"learning_rate": 3e-2},
    "hidden=64": {"hidden": 64},
    "batch_size=128": {"batch_size": 128},
    "batch_size=512": {"batch_size": 512},
    "transforms=2": {"transforms": 2},
    "kind=coupling": {"kind": "coupling"},
    "components=32": {"components": 32},
    "components=16": {"components": 16},
}

logging.getLogger("fmb_detectors").setLevel(logging.ERROR)  # the tables say where flow falls back


def in_sample(values: np.ndarray) -> tuple[dict[str, np.ndarray], dict]:
    """Scores of the recipes, each fitted to the rows it scores, and the flow's report.

    "flow" is the stricter of the flow and the Gaussian, "flow alone" its likelihood.
    """
    x = Vectors(np.arange(len(values)), values)
    gaussian = GaussianDetector(GaussianConfig(), seed=0)
    flow = FlowDetector(FlowConfig(), seed=0)
    for detector in (gaussian, flow):
        detector.fit(x)
    stricter, told = flow.score_with_details(x)
    scores = {
        "original": original_scores(values),
        "gaussian": gaussian.score(x),
        "flow": stricter,
        "flow alone": told["gaussian"] - told["flow_gain"],
    }
    return scores, flow.report()


def real_tables(folder: Path) -> Iterator[str]:
    """AUROC and average precision on every labelled set of `folder`, then paired differences."""
    results = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            labels, values = file["y"].astype(bool), file["X"]
        results[path.stem] = (labels, *in_sample(values))
    for measure, statistic in MEASURES.items():
        yield f"### {measure}, in-sample\n"
        yield table(
            ["set", "rows x dims", "original", "gaussian", "flow", "flow alone", "flow is used"],
            [
                [
                    name,
                    f"{report['n']} x {report['d']}",
                    *(f"{interval(statistic, labels, s):.3f}" for s in scores.values()),
                    "no" if report["fallback"] else f"{report['components']} components",
                ]
                for name, (labels, scores, report) in results.items()
            ],
        )
        yield f"### {measure}, paired differences\n"
        yield table(["set", *PAIRS], list(differences(statistic, results)))


def differences(statistic, results: dict) -> Iterator[list[str]]:
    """One row a set, then the mean over sets with its two intervals."""
    for name, (labels, scores, _) in results.items():
        yield [name] + [
            f"{paired_difference(statistic, labels, scores[a], scores[b], n=RESAMPLES):+.4f}"
            for a, b in PAIRS.values()
        ]
    draws = {pair: np.array([]) for pair in PAIRS}
    for pair, (a, b) in PAIRS.items():
        draws[pair] = np.stack([drawn(statistic, y, s[a], s[b]) for y, s, _ in results.values()])
    yield ["mean, objects resampled"] + [
        f"{spread(d[:, 0].mean(), d[:, 1:].mean(0)):+.4f}" for d in draws.values()
    ]
    chosen = np.random.default_rng(0).integers(len(results), size=(RESAMPLES, len(results)))
    yield ["mean, sets resampled"] + [
        f"{spread(d[:, 0].mean(), d[:, 0][chosen].mean(axis=1)):+.4f}" for d in draws.values()
    ]


def drawn(statistic, labels, scores, baseline) -> np.ndarray:
    """The difference of two scores, then that difference in each resample of the objects.

    One seed for all sets: the two encoders of one set of pictures lose the same pictures.
    """
    draws = [np.array([statistic(labels, scores) - statistic(labels, baseline)])]
    for weights in resamples(np.arange(len(labels)), labels, RESAMPLES, 0):
        draws.append(
            statistic(labels, scores, weights=weights)
            - statistic(labels, baseline, weights=weights)
        )
    return np.concatenate(draws)


def spread(value: float, draws: np.ndarray) -> Interval:
    """A value with the central 95 % of its draws."""
    return Interval(float(value), *np.quantile(draws, [0.025, 0.975]).tolist())


def planted_table(n: int = 5000, share: float = 0.01, repeats: int = 5) -> str:
    """AUROC of planted anomalies among curved clusters: mean and range over simulated skies."""
    rows = []
    for name, plant in (("moment-matched Gaussian", moment_matched), ("tight clump", clump)):
        skies = []
        for sky in range(repeats):
            values = curved(n, seed=sky, sky=sky)
            m = round(n * share)
            values[:m] = plant(values[m:], m, sky)
            labels = np.arange(n) < m
            scores = in_sample(values)[0] | {"10 neighbours": neighbour_distance(values)}
            skies.append({key: auroc(labels, s) for key, s in scores.items()})
        aurocs = {key: [f[key] for f in skies] for key in skies[0]}
        rows.append(
            [name, *(f"{np.mean(v):.3f} ({min(v):.2f}-{max(v):.2f})" for v in aurocs.values())]
        )
    return table(["planted", *aurocs], rows)


def neighbour_distance(values: np.ndarray) -> np.ndarray:
    """Mean distance to the ten nearest other rows."""
    nearest = NearestNeighbors(n_neighbors=11).fit(values)
    return nearest.kneighbors(values)[0][:, 1:].mean(axis=1)


def likelihood_tables(sizes: tuple[int, ...] = (9000, 1600, 400)) -> Iterator[str]:
    """Held-out gain over the Gaussian for the default options and some others."""
    for n in sizes:
        rows = [
            [name, *(f"{held_out_gain(make, n, options):.2f}" for make in FAMILIES.values())]
            for name, options in ALTERNATIVES.items()
        ]
        yield f"{n} objects:\n"
        yield table(["options", *FAMILIES], rows)


def held_out_gain(make, n: int, options: dict) -> float:
    """Nats an object on 3,000 new objects, unclipped; 0 where the flow falls back."""
    fit, new = (Vectors(np.arange(m), make(m, seed)) for m, seed in ((n, 1), (3000, 2)))
    detector = FlowDetector(FlowConfig(**options), seed=0)
    detector.fit(fit)
    return float(detector.details(new)["flow_gain"].mean())


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
