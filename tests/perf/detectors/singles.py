"""What neighbours, trees and clumps find, beside the Gaussian: labelled and planted."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from detectors.quality import MEASURES, table
from detectors.simulated import FAMILIES, clump, curved, moment_matched

from fmb import Vectors
from fmb_analyses.bootstrap import interval
from fmb_analyses.metrics import auroc
from fmb_detectors.config import GaussianConfig, IforestConfig
from fmb_detectors.gaussian import GaussianDetector
from fmb_detectors.iforest import IforestDetector
from fmb_detectors.knn import KnnDetector
from fmb_detectors.lof import LofDetector
from fmb_detectors.neighbour_config import KnnConfig, LofConfig, TypicalConfig
from fmb_detectors.pyod import PyodDetector
from fmb_detectors.pyod_config import PyodConfig
from fmb_detectors.typical import TypicalDetector

__all__ = ["labelled_tables", "planted_singles_table", "spaces_table"]

Score = Callable[[np.ndarray], np.ndarray]


def in_sample(make: Callable[[], object]) -> Score:
    """Scores of a new detector that was fitted to the rows it scores."""

    def scores(values: np.ndarray) -> np.ndarray:
        x, detector = Vectors(np.arange(len(values)), values), make()
        detector.fit(x)
        return detector.score(x)

    return scores


DETECTORS: dict[str, Score] = {
    "gaussian": in_sample(lambda: GaussianDetector(GaussianConfig(), seed=0)),
    "knn": in_sample(lambda: KnnDetector(KnnConfig(), seed=0)),
    "knn, cosine": in_sample(lambda: KnnDetector(KnnConfig(metric="cosine"), seed=0)),
    "lof": in_sample(lambda: LofDetector(LofConfig(), seed=0)),
    "iforest": in_sample(lambda: IforestDetector(IforestConfig(), seed=0)),
    "pyod, ECOD": in_sample(lambda: PyodDetector(PyodConfig(method="ECOD"), seed=0)),
}
TYPICAL = {"typical": in_sample(lambda: TypicalDetector(TypicalConfig(), seed=0))}

SPACES = {
    **{
        f"whitened, {k or 'all'}": in_sample(
            lambda k=k: KnnDetector(KnnConfig(components=k), seed=0)
        )
        for k in (8, 16, 32, 64, 0)
    },
    "euclidean": in_sample(lambda: KnnDetector(KnnConfig(metric="euclidean"), seed=0)),
    "cosine": in_sample(lambda: KnnDetector(KnnConfig(metric="cosine"), seed=0)),
}


def labelled_tables(folder: Path) -> Iterator[str]:
    """AUROC and average precision on every labelled set of `folder`, with intervals."""
    found = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            labels, values = file["y"].astype(bool), file["X"]
        found[path.stem] = labels, {name: score(values) for name, score in DETECTORS.items()}
    for measure, statistic in MEASURES.items():
        yield f"### {measure}, in-sample\n"
        yield table(
            ["set", *DETECTORS],
            [
                [name, *(f"{interval(statistic, labels, one):.3f}" for one in scores.values())]
                for name, (labels, scores) in found.items()
            ],
        )


def near_identical(values: np.ndarray, m: int, seed: int) -> np.ndarray:
    """m copies of one row with noise of 1 % of the spread."""
    noise = np.random.default_rng(seed).normal(size=(m, values.shape[1]))
    return (values[0] + 0.01 * values.std(axis=0) * noise).astype(np.float32)


def planted_singles_table(n: int = 5000, share: float = 0.01, repeats: int = 5) -> str:
    """AUROC of planted anomalies among curved clusters: mean and range over simulated skies."""
    rows, judges = [], {**DETECTORS, **TYPICAL}
    kinds = {
        "moment-matched Gaussian": moment_matched,
        "tight clump": clump,
        "near-identical": near_identical,
    }
    for name, plant in kinds.items():
        aurocs: dict[str, list[float]] = {judge: [] for judge in judges}
        for sky in range(repeats):
            values, m = curved(n, seed=sky, sky=sky), round(n * share)
            values[:m] = plant(values[m:], m, sky)
            for judge, score in judges.items():
                aurocs[judge].append(auroc(np.arange(n) < m, score(values)))
        rows.append(
            [name, *(f"{np.mean(v):.3f} ({min(v):.2f}-{max(v):.2f})" for v in aurocs.values())]
        )
    return table(["planted", *judges], rows)


def spaces_table(n: int = 3000, m: int = 30, repeats: int = 2) -> str:
    """AUROC of moment-matched rows among simulated families, by where distances are measured."""
    rows = []
    for name, make in FAMILIES.items():
        aurocs: dict[str, list[float]] = {space: [] for space in SPACES}
        for seed in range(repeats):
            values = make(n, seed)
            values[:m] = moment_matched(values[m:], m, seed)
            for space, score in SPACES.items():
                aurocs[space].append(auroc(np.arange(n) < m, score(values)))
        rows.append([name, *(f"{np.mean(v):.2f}" for v in aurocs.values())])
    return table(["family", *SPACES], rows)
