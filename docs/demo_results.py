"""Writes demo-results.md: how well planted anomalies are found on the simulated survey.

Run: python docs/demo_results.py [--objects 2000] [--hosts 100]. It takes some minutes.

Each anomaly is planted in a copy of a host; the host stays as it was. Detectors are fitted on
objects without anomalies, cross-fitted; a copy is scored by the fit that has not seen its host.
The AUROC of a kind compares its copies with the uninjected hosts of all of them but their own, in
the view that was declared to see it before anything was computed. Intervals draw hosts.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from fmb.bootstrap import Interval, bootstrap
from fmb.crossfit import cross_fit
from fmb.data import Vectors
from fmb.datasets.planting.kinds import KINDS, Kind
from fmb.embedding import embed_model, model_job, read_embeddings
from fmb.groups import group_keys
from fmb.metrics import auroc_of_copies
from fmb.options import options_request
from fmb.paths import ensure_folder, workspace
from fmb.plan import Plan, make_plan, quiet
from fmb.plugins import load_plugins
from fmb.seeds import derive_seed

PAGE = Path(__file__).with_name("demo-results.md")
STRENGTHS = (0.0, 0.5, 1.0)
VIEWS = ("image", "spectrum", "joint")
VIEW_OF = {"image": "image", "spectrum": "spectrum", "mismatch": "joint"}
N_COMPONENTS = 100
FOLDS = 5


def main() -> None:
    """Compute and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=int, default=2000)
    parser.add_argument("--hosts", type=int, default=100)
    options = parser.parse_args()
    plan = planned(options.objects, options.hosts)
    assert plan.dataset is not None
    objects = plan.dataset.catalog.reset_index(drop=True)
    objects.insert(0, "object_id", plan.dataset.ids, allow_duplicates=True)
    objects = objects.loc[:, ~objects.columns.duplicated()]
    scores = {
        (name, view, detector): scored(plan, objects, vectors, view, detector)
        for name, views in (("random AstroPT", astropt(plan)), ("PCA-100", raw_pca(plan, objects)))
        for view, vectors in views.items()
        for detector in plan.detectors
    }
    PAGE.write_text(page(objects, scores, options), encoding="utf-8")


def planned(n_objects: int, n_hosts: int) -> Plan:
    """The paired survey, AstroPT with random weights and both detectors."""
    request = options_request(
        {
            "model": "astropt",
            "detector": ["gaussian", "flow"],
            "set": [
                f"data.n_objects={n_objects}",
                f"data.n_per_kind={n_hosts}",
                "data.planting=paired",
                f"data.strengths={list(STRENGTHS)}",
                "data.inputs=['euclid', 'desi']",
            ],
        }
    )
    home = ensure_folder(workspace())
    return make_plan(request, load_plugins().registry, home, draw=False)


def astropt(plan: Plan) -> dict[str, Vectors]:
    """The vectors of each view from AstroPT with random weights."""
    assert plan.dataset is not None
    held = read_embeddings(plan.dataset, embed_model(plan, plan.models[0], quiet))
    return {view: held.vectors(view) for view in VIEWS}


def raw_pca(plan: Plan, objects: pd.DataFrame) -> dict[str, Vectors]:
    """100 principal components of what AstroPT is given: pixels, spectrum, and both together."""
    job = model_job(plan, plan.models[0])
    ids, parts = objects["object_id"].to_numpy(), {}
    for slot, instrument in job.sources.items():
        prepare = job.model.preparer({slot: instrument})
        present = job.dataset.inputs[instrument].present
        rows = np.flatnonzero(present) if present is not None else np.arange(len(ids))
        pixels, kept = [], []
        for start in range(0, len(rows), 256):
            chosen = rows[start : start + 256]
            inputs = prepare(job.dataset.read(chosen, [instrument]))
            good = inputs.valid[slot]
            pixels.append(np.asarray(inputs.arrays[slot])[good].reshape(good.sum(), -1))
            kept.append(chosen[good])
        parts[slot] = reduced(objects, np.concatenate(kept), np.concatenate(pixels))
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
    injected = objects.loc[~is_host(objects), "injected_from"]
    apart = ~objects["object_id"].isin(injected) & is_host(objects)
    pca = PCA(N_COMPONENTS, svd_solver="randomized", random_state=0)
    pca.fit(values[apart.to_numpy()[rows]])
    return rows, pca.transform(values).astype(np.float32)


def is_host(objects: pd.DataFrame) -> pd.Series:
    """True for objects in which nothing was planted."""
    return objects["injected_from"] == objects["object_id"]


def scored(
    plan: Plan, objects: pd.DataFrame, vectors: Vectors, view: str, detector: object
) -> pd.Series:
    """Score by object id: hosts cross-fitted, copies by the fit that has not seen their host."""
    component = detector.component
    ids = objects["object_id"].to_numpy()
    at = np.searchsorted(ids, vectors.ids)
    host = is_host(objects).to_numpy()[at]
    keys = group_keys(objects)[at]

    def make(fold: int) -> object:
        seed = derive_seed(plan.request.run.seed, "detector", component.qualified, view, fold)
        return component.load()(detector.config, seed=seed, device="cpu")

    fitted = cross_fit(make, vectors.take(host), keys[host], FOLDS, name=detector.label)
    found = pd.Series(np.nan, index=vectors.ids)
    found.loc[vectors.ids[host]] = fitted.scores
    fold_of = dict(zip(keys[host], fitted.fold, strict=True))
    fold = np.array([-1 if h else fold_of.get(k, -1) for h, k in zip(host, keys, strict=True)])
    for number, one in enumerate(fitted.detectors):
        copies = fold == number
        if copies.any():
            found.loc[vectors.ids[copies]] = one.score(vectors.take(copies))
    return found.dropna()


def measured(
    objects: pd.DataFrame, scores: pd.Series, kind: str, strength: float | None
) -> Interval | None:
    """AUROC of the copies of a kind against their hosts, at one strength or at all."""
    copies = objects[(objects["label"] == kind) & ~is_host(objects)]
    if strength is not None:
        copies = copies[np.isclose(copies["strength"].astype(float), strength)]
    hosts = objects[objects["object_id"].isin(pd.unique(copies["injected_from"]))]
    chosen = pd.concat([copies, hosts])
    chosen = chosen[chosen["object_id"].isin(scores.index)]
    labels = (~is_host(chosen)).to_numpy()
    if labels.sum() < 2 or (~labels).sum() < 2:
        return None
    values = scores.loc[chosen["object_id"]].to_numpy()
    group = pd.factorize(chosen["group"])[0]
    return bootstrap(auroc_of_copies, (labels, values, group), group, strata=labels)


def page(objects: pd.DataFrame, scores: dict, options: argparse.Namespace) -> str:
    """The page as Markdown."""
    columns = [(name, d) for name in ("random AstroPT", "PCA-100") for d in ("gaussian", "flow")]
    head = "| kind | view | expected | " + " | ".join(f"{n}, {d}" for n, d in columns) + " |"
    rule = "|---|---|---|" + "---|" * len(columns)
    parts = [
        "# What is found on the demo survey: the floor",
        "Written by `python docs/demo_results.py`"
        f" --objects {options.objects} --hosts {options.hosts}; do not edit.",
        " ".join(__doc__.strip().splitlines()[4:]),
        "The weights of AstroPT are drawn, not trained; PCA-100 are the 100 principal components of"
        " the same prepared pixels. Both are floors that a trained model has to beat. Kinds that"
        " only a mismatch between image and spectrum can show are given in the joint view: no"
        " detector here compares views. `expected` is what a sane trained encoder should reach.",
        *sections(objects, scores, columns, head, rule),
    ]
    return "\n\n".join(parts) + "\n"


def sections(
    objects: pd.DataFrame, scores: dict, columns: list, head: str, rule: str
) -> Iterator[str]:
    """A table for all strengths together, one for the strongest, and the negative controls."""
    for title, strength in (("All strengths", None), ("The strongest", STRENGTHS[-1])):
        rows = [
            row(objects, scores, columns, kind, VIEW_OF[kind.view], strength)
            for kind in KINDS.values()
            if kind.view != "nobody"
        ]
        yield f"## {title}\n\n{head}\n{rule}\n" + "\n".join(rows)
    rows = [
        row(objects, scores, columns, kind, view, None)
        for kind in KINDS.values()
        if kind.view == "nobody"
        for view in VIEWS
    ]
    yield (
        "## Negative controls\n\nNothing should be found: 0.50 +- 0.05 in every view.\n\n"
        f"{head}\n{rule}\n" + "\n".join(rows)
    )


def row(
    objects: pd.DataFrame,
    scores: dict,
    columns: list,
    kind: Kind,
    view: str,
    strength: float | None,
) -> str:
    """One line of a table."""
    values = [
        measured(objects, scores[name, view, label], kind.name, strength)
        for name, detector in columns
        for label in [next(k[2] for k in scores if k[2].label == detector)]
    ]
    cells = ["-" if value is None else str(value) for value in values]
    expected = f"{kind.auroc[0]:g}-{kind.auroc[1]:g}"
    return f"| {kind.name} | {view} | {expected} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
