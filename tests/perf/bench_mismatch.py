"""How well pairs that do not fit together are found: planted, permuted, real; and what it costs.

    python tests/perf/bench_mismatch.py [--seeds 100 101] [--hosts 5000] [--copies 60]

Copies are scored by the fold that has not seen their host and never enter a fit, as in
`docs/results/planted.py`. The baselines are the distance of a spectrum to its ridge prediction and
the distance of canonical variates, both with out-of-fold covariances. With FMB_TEST_DATA also three
sets of pictures by two encoders, 5 % of whose partners are permuted.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "results"))
import planted

from fmb import Pairs, Session, VectorName, Vectors
from fmb.crossfit import cross_fit
from fmb.datasets import group_keys
from fmb.request import options_request
from fmb_analyses.bootstrap import bootstrap
from fmb_detectors.canonical import canonical
from fmb_detectors.config import GaussianConfig
from fmb_detectors.critic import CriticDetector
from fmb_detectors.gaussian import GaussianDetector
from fmb_detectors.joint_sums import JointSums
from fmb_detectors.mismatch import MismatchDetector
from fmb_detectors.mismatch_config import CriticConfig, MismatchConfig
from fmb_detectors.plugin import fmb_register_detectors

NAMES = VectorName("m", "tails", "image"), VectorName("m", "tails", "spectrum")
KINDS = ("swap-easy", "swap-hard", "fibre-offset", "agn", "merger")
ROLES = {"magnitude": "mag_vis", "redshift": "redshift", "snr": "snr", "size": "size"}
SETS = ("bottle", "cable", "hazelnut")
PERMUTED = 0.05


class Ridge:
    """Squared Mahalanobis distance of b to its ridge prediction from a."""

    def fit(self, x: Pairs) -> None:
        a, b = x.a.astype(float), x.b.astype(float)
        self.mean = a.mean(0), b.mean(0)
        a, b = a - self.mean[0], b - self.mean[1]
        gram = a.T @ a
        gram.flat[:: len(gram) + 1] += 0.01 * np.trace(gram) / len(gram) + 1e-9
        self.map = np.linalg.solve(gram, a.T @ b)
        rest = b - a @ self.map
        covariance = rest.T @ rest / len(b)
        covariance.flat[:: len(covariance) + 1] += 0.01 * np.trace(covariance) / len(covariance)
        self.inverse = np.linalg.inv(covariance)

    def score(self, x: Pairs) -> np.ndarray:
        rest = x.b - self.mean[1] - (x.a - self.mean[0]) @ self.map
        return np.einsum("ij,jk,ik->i", rest, self.inverse, rest)


class CanonicalDistance:
    """Sum over canonical variates of (u - v)^2 / (2 - 2 rho)."""

    def fit(self, x: Pairs) -> None:
        folds = [JointSums() for _ in range(4)]
        for i, fold in enumerate(folds):
            fold.add(np.concatenate([x.a[i::4], x.b[i::4]], axis=1))
        width = x.a.shape[1]
        self.made = canonical([[f] for f in folds], width, ("a", "b"), 0.99, 128)

    def score(self, x: Pairs) -> np.ndarray:
        fit = self.made
        u, v = fit.directions.variates(fit.a.project(x.a)[0], fit.b.project(x.b)[0])
        r = len(fit.rho)
        return np.asarray(((u[:, :r] - v[:, :r]) ** 2 / (2 - 2 * fit.rho)).sum(axis=1))


DETECTORS: dict[str, Callable[[int], Any]] = {
    "mismatch": lambda seed: MismatchDetector(MismatchConfig(), seed=seed),
    "mismatch-critic": lambda seed: CriticDetector(CriticConfig(), seed=seed),
    "ridge distance": lambda seed: Ridge(),
    "CCA distance": lambda seed: CanonicalDistance(),
}

DETAILS = {one.name: tuple(one.details) for one in fmb_register_detectors()}


def demo_pairs(seed: int, hosts: int, copies: int) -> tuple[Any, Pairs]:
    """Catalogue and pairs of a simulated survey with changed copies."""
    settings: dict[str, object] = {
        "data.seed": seed,
        "data.n_objects": hosts,
        "data.n_per_kind": copies,
        "data.kinds": list(KINDS),
    }
    request = {
        "data": "demo-eval",
        "model": ["astropt"],
        "embedder": "tails",
        "detector": ["gaussian"],
        "no_companions": True,
        "set": [f"{key}={value}" for key, value in settings.items()],
    }
    plan = Session.open(lambda *told: None).plan(
        options_request(request), steps=("embed", "detect")
    )
    objects = planted.objects_of(plan)
    (views,) = planted.model_vectors(plan).values()
    image, spectrum = views["image"], views["spectrum"]
    ids, at_a, at_b = np.intersect1d(image.ids, spectrum.ids, return_indices=True)
    objects = objects[objects["object_id"].isin(ids)].reset_index(drop=True)
    columns = {role: objects[name].to_numpy(float) for role, name in ROLES.items()}
    pairs = Pairs(ids, image.values[at_a], spectrum.values[at_b], False, NAMES, columns)
    return objects, pairs


def out_of_fold(objects: Any, x: Pairs, make: Any, details: tuple[str, ...]) -> Any:
    """Scores and details: hosts cross-fitted, copies by the fit that has not seen their host."""
    host, keys = planted.unchanged(objects).to_numpy(), group_keys(objects)
    fitted = cross_fit(make, x.take(host), keys[host], 5, name="pairs", details=details)
    scores = np.full(len(x), np.nan)
    told = {name: np.full(len(x), np.nan) for name in details}
    scores[host] = fitted.scores
    for name in details:
        told[name][host] = fitted.details[name]
    fold_of = dict(zip(keys[host], fitted.fold, strict=True))
    fold = np.array([-1 if h else fold_of.get(k, -1) for h, k in zip(host, keys, strict=True)])
    for number, one in enumerate(fitted.detectors):
        if (rows := np.flatnonzero(fold == number)).size:
            scores[rows], of_rows = one.judge(x.take(rows), details)
            for name in details:
                told[name][rows] = of_rows[name]
    return scores, told


def planted_table(seeds: list[int], hosts: int, copies: int) -> None:
    """AUROC of copies against all hosts, and recall of the strongest in the top 1 %."""
    surveys = [demo_pairs(seed, hosts, copies) for seed in seeds]
    for name, make in DETECTORS.items():
        start, found = time.process_time(), []
        for objects, x in surveys:
            found.append((objects, *out_of_fold(objects, x, make, DETAILS.get(name, ()))))
        seconds = (time.process_time() - start) / len(surveys)
        print(f"\n{name}, {seconds:.1f} CPU s a survey")
        for kind in KINDS:
            print(f"  {kind:13} {_judged(found, kind)}", flush=True)


def _judged(found: list[Any], kind: str) -> str:
    ranks, recalled, groups, kept = [], [], [], []
    for number, (objects, scores, told) in enumerate(found):
        host = planted.unchanged(objects).to_numpy()
        copy = (objects["label"] == kind).to_numpy() & ~host & np.isfinite(scores)
        bound = np.quantile(scores[host], 0.99)
        strongest = objects["strength"].astype(float).fillna(1).to_numpy()[copy] == 1
        ordered = np.sort(scores[host])
        below = np.searchsorted(ordered, scores[copy]) + np.searchsorted(
            ordered, scores[copy], side="right"
        )
        ranks.append(below / (2 * len(ordered)))
        recalled.append(np.where(strongest, scores[copy] > bound, np.nan))
        groups.append([f"{number}/{group}" for group in objects["group"][copy]])
        if told:
            kept.append(np.where(strongest, told["strange_views"][copy] == 0, np.nan))
    group = np.unique(np.concatenate(groups), return_inverse=True)[1]
    text = [f"AUROC {_mean(ranks, group)}", f"recall {_mean(recalled, group)}"]
    return "  ".join([*text, *([f"kept {_mean(kept, group)}"] if kept else [])])


def _mean(parts: list[np.ndarray], group: np.ndarray) -> str:
    values = np.concatenate(parts).astype(float)
    good = np.isfinite(values)

    def mean(values: Any, weights: Any = None) -> Any:
        count = np.ones(len(values)) if weights is None else weights
        return (count * values).sum(-1) / count.sum(-1)

    return str(bootstrap(mean, (values[good],), np.unique(group[good], return_inverse=True)[1]))


def permuted_table(data: Path) -> None:
    """Mean AUROC of permuted partners over ten draws, for each paired set."""
    print("\n5 % of partners permuted, AUROC, mean and range of ten draws")
    for name in SETS:
        a, b = (
            np.load(data / f"{model}__MVTec-AD_{name}.npz")["X"].astype("f4")
            for model in ("ResNet18", "ViT")
        )
        row = []
        for label, make in DETECTORS.items():
            drawn = [auroc for seed in range(10) if (auroc := _permuted(a, b, make, seed))]
            row.append(f"{label} {np.mean(drawn):.3f} ({min(drawn):.2f}-{max(drawn):.2f})")
        print(f"  {name:9} {len(a)} pairs  {'  '.join(row)}", flush=True)


def _permuted(a: np.ndarray, b: np.ndarray, make: Any, seed: int) -> float:
    random = np.random.default_rng(seed)
    moved = random.choice(len(a), max(round(PERMUTED * len(a)), 2), replace=False)
    other = b.copy()
    other[moved] = b[np.roll(moved, 1)]
    x = Pairs(np.arange(len(a)), a, other, False, NAMES)
    scores = cross_fit(lambda fold: make(seed), x, x.ids, name="pairs").scores
    rest = np.delete(scores, moved)
    return float(np.mean(scores[moved][:, None] > rest[None, :]))


def speed() -> None:
    """CPU seconds for 20,000 pairs of 768, cross-fitted, beside a Gaussian of one of the views."""
    random = np.random.default_rng(0)
    hidden = random.normal(size=(20_000, 30))
    views = []
    for _ in range(2):
        noise = random.normal(size=(20_000, 768)) * np.linspace(3, 0.3, 768)
        views.append((hidden @ random.normal(size=(30, 768)) + noise).astype("f4"))
    columns = {role: random.normal(size=20_000) for role in ROLES}
    x = Pairs(np.arange(20_000), *views, False, NAMES, columns)
    one = Vectors(x.ids, x.a)
    runs = {
        "gaussian": lambda: cross_fit(
            lambda i: GaussianDetector(GaussianConfig(), seed=i), one, x.ids, name="g"
        ),
        "mismatch": lambda: cross_fit(DETECTORS["mismatch"], x, x.ids, name="m"),
        "and details": lambda: cross_fit(
            DETECTORS["mismatch"], x, x.ids, name="m", details=DETAILS["mismatch"]
        ),
    }
    for name, run in runs.items():
        start = time.process_time()
        run()
        print(f"{name:12} {time.process_time() - start:.2f} CPU s", flush=True)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[100, 101])
    parser.add_argument("--hosts", type=int, default=5000)
    parser.add_argument("--copies", type=int, default=60, help="of each kind and strength")
    asked = parser.parse_args()
    speed()
    if os.environ.get("FMB_TEST_DATA"):
        permuted_table(Path(os.environ["FMB_TEST_DATA"]) / "adbench")
    if asked.seeds:
        planted_table(asked.seeds, asked.hosts, asked.copies)


if __name__ == "__main__":
    main()
