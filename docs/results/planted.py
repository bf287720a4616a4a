"""Scores of planted anomalies and of their hosts, and what they amount to."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from fmb import Batch, DetectorSpec, Vectors
from fmb.crossfit import cross_fit
from fmb.datasets import group_keys
from fmb.embedding.loading import model_job
from fmb.plan import Plan
from fmb.plan.choice import Chosen
from fmb.steps.vectors import embed_all
from fmb.store import derive_seed
from fmb.torch import EmbedJob
from fmb_analyses.bootstrap import Interval, bootstrap
from fmb_analyses.metrics import auroc_of_copies

VIEWS = ("image", "spectrum", "joint")
N_COMPONENTS = 100
FOLDS = 5
TOP = 0.01
CATALOGUE = ("mag_vis", "mag_y", "mag_j", "mag_h", "mag_g", "mag_r", "mag_i", "mag_z")

Views = Mapping[str, Vectors]


def objects_of(plan: Plan) -> pd.DataFrame:
    """The catalogue with the ids in front, one row an object."""
    table = plan.dataset.catalog.drop(columns="object_id", errors="ignore").reset_index(drop=True)
    table.insert(0, "object_id", plan.dataset.ids)
    return table


def unchanged(objects: pd.DataFrame) -> pd.Series:
    """True for objects in which nothing was planted."""
    return objects["injected_from"] == objects["object_id"]


def model_vectors(plan: Plan) -> dict[str, Views]:
    """Model label -> the vectors of each of its views."""
    by_model: dict[str, dict[str, Vectors]] = {model.label: {} for model in plan.models}
    for name, view in embed_all(plan).views.items():
        by_model[name.model][name.view] = Vectors(plan.dataset.ids[view.rows], view.values)
    return by_model


def pixel_job(plan: Plan) -> EmbedJob:
    """Of the first model that is given one array of pixels a slot, under the slot's name."""
    for model in plan.models:
        job = model_job(plan, model)
        prepare = job.model.preparer(job.sources)
        if set(job.sources) <= set(prepare(one_object(job)).arrays):
            return job
    raise SystemExit("no model here is given plain pixels: PCA-100 needs astropt or astroclip")


def one_object(job: EmbedJob) -> Batch:
    """The first object that has all inputs."""
    n = len(job.dataset.ids)
    whole = np.all([job.dataset.inputs[i].have(n) for i in job.sources.values()], axis=0)
    return job.dataset.read(np.flatnonzero(whole)[:1], list(job.sources.values()))


def raw_pca(plan: Plan, objects: pd.DataFrame) -> Views:
    """100 principal components of what a model is given: pixels, spectrum, both."""
    job = pixel_job(plan)
    ids, parts = objects["object_id"].to_numpy(), {}
    for slot, instrument in job.sources.items():
        prepare = job.model.preparer({slot: instrument})
        rows = np.flatnonzero(job.dataset.inputs[instrument].have(len(ids)))
        pixels, used = [], []
        for start in range(0, len(rows), 256):
            chosen = rows[start : start + 256]
            inputs = prepare(job.dataset.read(chosen, [instrument]))
            good = inputs.valid[slot]
            pixels.append(np.asarray(inputs.arrays[slot])[good].reshape(good.sum(), -1))
            used.append(chosen[good])
        parts[slot] = reduced(objects, np.concatenate(used), np.concatenate(pixels))
    both = np.intersect1d(*(rows for rows, _ in parts.values()))
    joined = [values[np.searchsorted(rows, both)] for rows, values in parts.values()]
    joined = [values / np.linalg.norm(values, axis=1, keepdims=True) for values in joined]
    parts["joint"] = reduced(objects, both, np.concatenate(joined, axis=1))
    return {view: Vectors(ids[rows], values) for view, (rows, values) in parts.items()}


def reduced(
    objects: pd.DataFrame, rows: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rows in order and their components: those of objects that are neither host nor copy.

    Components of few objects fit these better than new ones; a host among them would stand out
    from its own copy.
    """
    order = np.argsort(rows)
    rows, values = rows[order], values[order]
    injected = objects.loc[~unchanged(objects), "injected_from"]
    apart = ~objects["object_id"].isin(injected) & unchanged(objects)
    if apart.sum() < 2 * N_COMPONENTS:
        raise SystemExit(
            f"{apart.sum()} objects are neither host nor copy, PCA-{N_COMPONENTS} needs"
            f" {2 * N_COMPONENTS}: take more --hosts or fewer --copies"
        )
    pca = PCA(N_COMPONENTS, svd_solver="randomized", random_state=0)
    pca.fit(values[apart.to_numpy()[rows]])
    return rows, pca.transform(values).astype(np.float32)


def catalogue_features(objects: pd.DataFrame) -> Views:
    """Magnitudes, colours, size, redshift and signal-to-noise, the same in every view."""
    table = objects[list(CATALOGUE)].copy()
    for blue, red in (("g", "r"), ("r", "i"), ("i", "z"), ("vis", "h")):
        table[f"{blue}-{red}"] = objects[f"mag_{blue}"] - objects[f"mag_{red}"]
    table["size"] = np.log10(objects["size"])
    table["redshift"], table["snr"] = objects["redshift"], np.log10(objects["snr"])
    good = np.isfinite(table).all(axis=1).to_numpy()
    vectors = Vectors(objects["object_id"].to_numpy()[good], table[good].to_numpy(np.float32))
    return dict.fromkeys(VIEWS, vectors)


def scored(
    seed: int,
    objects: pd.DataFrame,
    vectors: Vectors,
    view: str,
    detector: Chosen[DetectorSpec],
) -> pd.Series:
    """Score by object id: hosts cross-fitted, copies by the fit that has not seen their host."""
    at = np.searchsorted(objects["object_id"].to_numpy(), vectors.ids)
    host = unchanged(objects).to_numpy()[at]
    keys = group_keys(objects)[at]

    def make(fold: int) -> Any:
        drawn = derive_seed(seed, "detector", detector.component.qualified, view, fold)
        return detector.new(seed=drawn, device="cpu")

    fitted = cross_fit(make, vectors.take(host), keys[host], FOLDS, name=detector.label)
    scores = pd.Series(np.nan, index=vectors.ids)
    scores.loc[vectors.ids[host]] = fitted.scores
    fold_of = dict(zip(keys[host], fitted.fold, strict=True))
    fold = np.array([-1 if h else fold_of.get(k, -1) for h, k in zip(host, keys, strict=True)])
    for number, one in enumerate(fitted.detectors):
        copies = fold == number
        if copies.any():
            scores.loc[vectors.ids[copies]] = one.score(vectors.take(copies))
    return scores.dropna()


def copies_and_hosts(objects: pd.DataFrame, kind: str, strength: float | None) -> pd.DataFrame:
    """Copies of a kind, at one strength or at all, and the hosts they were made from."""
    copies = objects[(objects["label"] == kind) & ~unchanged(objects)]
    if strength is not None:
        copies = copies[np.isclose(copies["strength"].astype(float), strength)]
    hosts = objects[objects["object_id"].isin(pd.unique(copies["injected_from"]))]
    return pd.concat([copies, hosts])


def compared(
    objects: pd.DataFrame,
    scores: pd.Series,
    kind: str,
    strength: float | None,
    less: pd.Series | None = None,
) -> Interval | None:
    """AUROC of copies against hosts that are not their own, or how much more than `less` has."""
    chosen = copies_and_hosts(objects, kind, strength)
    for values in (scores, *([] if less is None else [less])):
        chosen = chosen[chosen["object_id"].isin(values.index)]
    copy = (~unchanged(chosen)).to_numpy()
    if copy.sum() < 2 or (~copy).sum() < 2:
        return None
    group = pd.factorize(chosen["group"])[0]
    ours = scores.loc[chosen["object_id"]].to_numpy()
    if less is None:
        return bootstrap(auroc_of_copies, (copy, ours, group), group, strata=copy)

    def difference(truth: Any, a: Any, b: Any, code: Any, weights: Any = None) -> Any:
        return auroc_of_copies(truth, a, code, weights) - auroc_of_copies(truth, b, code, weights)

    theirs = less.loc[chosen["object_id"]].to_numpy()
    return bootstrap(difference, (copy, ours, theirs, group), group, strata=copy)


def recall_in_top(
    objects: pd.DataFrame, scores: pd.Series, kind: str, strength: float | None
) -> Interval | None:
    """Share of copies that score above all but 1 % of the unchanged objects; chance = 0.01."""
    hosts = objects.loc[unchanged(objects), "object_id"]
    bound = np.quantile(scores[scores.index.isin(hosts)], 1 - TOP)
    chosen = copies_and_hosts(objects, kind, strength)
    copies = chosen[~unchanged(chosen) & chosen["object_id"].isin(scores.index)]
    if len(copies) < 2:
        return None
    above = (scores.loc[copies["object_id"]] > bound).to_numpy(float)

    def share(values: Any, weights: Any = None) -> Any:
        count = np.ones(len(values)) if weights is None else weights
        return (count * values).sum(-1) / count.sum(-1)

    return bootstrap(share, (above,), pd.factorize(copies["group"])[0])


def share_of_bad_cell(objects: pd.DataFrame, scores: pd.Series) -> tuple[float, float]:
    """What the bad sky cell owns: of the top 1 % of unchanged objects, and of all of them."""
    hosts = objects[unchanged(objects) & objects["object_id"].isin(scores.index)]
    bad = (hosts["cell"] == hosts.groupby("cell")["depth"].median().idxmin()).to_numpy()
    values = scores.loc[hosts["object_id"]].to_numpy()
    return float(bad[values > np.quantile(values, 1 - TOP)].mean()), float(bad.mean())
