"""Writes real-images.md: how far AstroPT's rankings of real cutouts agree with the Euclid Q1 CNN.

Run: FMB_TEST_DATA=FOLDER python docs/results/real_images.py [--weights REF] [--epochs N]
[--draws N] [--flow-draws N] [--page FILE]. It takes some ten minutes on two cores; trained weights
stay in the workspace and are used again.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import agreement
import numpy as np
import pandas as pd
from agreement import MEASURES
from images_page import (
    LIGHT,
    MORE_LIGHT,
    PIXELS,
    RANDOM,
    SCRATCH,
    Results,
    page,
)
from picture_light import light_of
from processes import side_by_side
from two_halves import HALVES, Training, TwoHalves, divide

from fmb import Array
from fmb.store import ensure_folder, workspace
from fmb_analyses.metrics import auroc

PAGE = Path(__file__).parents[1] / "real-images.md"
START = "tiny-one-band"
EPOCHS = 10
WORTH_SHARING = 1000
"""Objects from which on several processes pay."""
SURVEY = """name = "euclid-q1-vis"
file = "{file}"
catalog = {{ id = "object_id", ra = "ra", dec = "dec", label = "label" }}

[inputs.euclid]
kind = "images"
flux = "image"
bands = ["VIS"]
unit = "display"
pixel_scale_arcsec = 0.1
"""


def main() -> None:
    """Compute and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default=START, metavar="REF", help="what training starts from")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--draws", type=int, default=20, help="samples for the Gaussian")
    parser.add_argument("--flow-draws", type=int, default=4, help="samples for the flow")
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    data = os.environ.get("FMB_TEST_DATA")
    if not data:
        sys.exit("set FMB_TEST_DATA to the folder with euclid_q1_vis/euclid_q1_vis.h5")
    folder = ensure_folder(workspace() / "real-images")
    file = (Path(data) / "euclid_q1_vis" / "euclid_q1_vis.h5").resolve()
    (folder / "survey.toml").write_text(SURVEY.format(file=file), encoding="utf-8")
    halves = divide(folder / "survey.toml", folder)
    vectors, trainings = trained_rows(halves, options.weights, options.epochs)
    objects, rows = compared_objects(halves, {**vectors, PIXELS: halves.components()})
    drawn = {
        "gaussian": agreement.rare_draws(objects, options.draws),
        "flow": agreement.rare_draws(objects, options.flow_draws),
    }
    results = judged(halves, objects, rows, drawn, trainings)
    options.page.write_text(
        "\n\n".join(page(results, options.epochs, command(options))) + "\n", encoding="utf-8"
    )


def command(options: argparse.Namespace) -> str:
    """What to type for this page."""
    return (
        f"python docs/results/real_images.py --weights {Path(options.weights).name} --epochs"
        f" {options.epochs} --draws {options.draws} --flow-draws {options.flow_draws}"
    )


def trained_rows(
    halves: TwoHalves, start: str, epochs: int
) -> tuple[dict[str, pd.DataFrame], dict[str, list[Training]]]:
    """Vectors by id, from trained and from starting weights, and the trainings by row."""
    rows, trainings = {}, {}
    for reference in dict.fromkeys((start, "random")):
        name = Path(reference).name
        after, before = (SCRATCH, RANDOM) if name == "random" else (f"{name}, retrained", name)
        made = [halves.trained(half, reference, f"train.epochs={epochs}") for half in HALVES]
        trainings[after] = made
        # Each half is seen through weights that were trained on the other.
        rows[after] = halves.vectors((str(made[1].folder), str(made[0].folder)))
        rows[before] = halves.vectors((reference, reference))
    return rows, trainings


def compared_objects(
    halves: TwoHalves, vectors: Mapping[str, pd.DataFrame]
) -> tuple[pd.DataFrame, dict[str, Array]]:
    """Labelled objects that have all vectors, and what is ranked: vectors, then features."""
    ids, pictures = halves.pictures()
    light = light_of(pictures).set_index(ids)
    survey = halves.objects
    chosen = survey["label"].isin(["merger", "nonmerger"])
    for values in vectors.values():
        chosen &= survey["object_id"].isin(values.index)
    objects = survey[chosen].join(light, on="object_id").reset_index(drop=True)
    objects["merger"] = objects["label"] == "merger"
    ranked = {**vectors, LIGHT: light[["size", "concentration"]], MORE_LIGHT: light}
    rows = {k: v.loc[objects["object_id"]].to_numpy(np.float32) for k, v in ranked.items()}
    return objects, rows


def weightings(objects: pd.DataFrame) -> dict[str, Array]:
    """How often each object counts, by what is compared."""
    features = objects[["brightness", "size"]].to_numpy()
    return {
        "all": np.ones(len(objects)),
        "measured": np.isfinite(features).all(axis=1).astype(float),
        "matched": agreement.matched_weights(objects["merger"].to_numpy(), features),
    }


def rankings(
    halves: TwoHalves, objects: pd.DataFrame, rows: Mapping[str, Array], drawn: Mapping[str, Array]
) -> dict[tuple[str, str], tuple[Array, int]]:
    """Detector, row -> what `agreement.ranked` gives."""
    plan = halves.plan(None, "random", steps=("embed", "detect"))
    detectors = {one.detector.label: one.detector for one in plan.lists}
    return keyed(
        agreement.ranked,
        {
            (label, name): (objects, values, drawn[label], detector)
            for label, detector in detectors.items()
            for name, values in rows.items()
        },
        len(objects),
    )


def judged(
    halves: TwoHalves,
    objects: pd.DataFrame,
    rows: Mapping[str, Array],
    drawn: dict[str, Array],
    trainings: dict[str, list[Training]],
) -> Results:
    """Rank every row by every detector and compare with the label."""
    weights = weightings(objects)
    ranked = rankings(halves, objects, rows, drawn)
    replicates = keyed(
        agreement.replicates,
        {
            (*key, weighting, name): (measure, objects, percentiles, counts)
            for key, (percentiles, _) in ranked.items()
            for weighting, counts in weights.items()
            for name, measure in MEASURES.items()
        },
        len(objects),
    )
    shown = keyed(agreement.supervised, {n: (objects, v) for n, v in rows.items()}, len(objects))
    return Results(
        survey=halves.objects,
        objects=objects,
        trainings=trainings,
        weights=weights,
        drawn=drawn,
        replicates=replicates,
        fits=len(rows) * drawn["flow"].shape[1] * len(HALVES) * agreement.FOLDS,
        spent={
            key: agreement.share_of_looks(weights["measured"] == 0, percentiles)
            for key, (percentiles, _) in ranked.items()
        },
        gave_up=sum(fallbacks for _, fallbacks in ranked.values()),
        supervised={
            n: agreement.replicates(auroc, objects, p, weights["all"]) for n, p in shown.items()
        },
    )


def keyed(
    function: Callable[..., Any], jobs: Mapping[Any, tuple[Any, ...]], n_objects: int
) -> dict[Any, Any]:
    """The result of each job, by its key."""
    worth_it = n_objects >= WORTH_SHARING
    results = side_by_side(function, jobs.values(), len(jobs), worth_it=worth_it)
    return dict(zip(jobs, results, strict=True))


if __name__ == "__main__":
    main()
