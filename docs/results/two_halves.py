"""A survey in two halves: weights are trained on one and give the vectors of the other."""

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from fmb import Array, Images, Session
from fmb.datasets import group_keys, objects_at
from fmb.embedding.loading import model_job
from fmb.plan import Plan
from fmb.request import options_request
from fmb.scoring import assign_folds
from fmb.steps.vectors import embed_all
from fmb.store import content_key
from fmb_train.folder import TrainingFolder
from fmb_train.retrain import plan_retraining, retrain

PRESET = ("model.astropt.preset=tiny-one-band",)  # of weights that are drawn
N_COMPONENTS = 100
HALVES = (0, 1)


@dataclass(frozen=True)
class Training:
    """Weights that were trained on one half."""

    folder: Path
    before: float
    """Validation loss of the weights it started from."""
    after: float
    epoch: int


@dataclass(frozen=True)
class TwoHalves:
    """A survey of pictures, its objects and in which half each is."""

    survey: Path
    folder: Path
    """Where trained weights are kept."""
    objects: pd.DataFrame
    """Ids and catalogue; `group` and `half`: no source is in both."""

    def plan(
        self, half: int | None, weights: str, *settings: str, steps: Sequence[str] = ("embed",)
    ) -> Plan:
        """What `fmb` makes of --data, --exclude, --weights and --set; None = both halves."""
        options = {
            "data": str(self.survey),
            "model": ["astropt"],
            "weights": [weights],
            "view": ["image"],
            "allow_out_of_domain": True,
            "set": [*(PRESET if weights == "random" else ()), *settings],
        }
        if half is not None:
            options["exclude"] = str(self.folder / f"half-{1 - half}.txt")
        if "detect" in steps:
            options |= {"detector": ["gaussian", "flow"], "no_companions": True}
        return Session.open(tell).plan(options_request(options), steps)

    def trained(self, half: int, weights: str, *settings: str) -> Training:
        """Weights trained on a half, as `fmb retrain` does it; kept, and gone on with."""
        plan = self.plan(half, weights, *settings, steps=("train",))
        todo = plan_retraining(plan, self.folder)
        folder = self.folder / f"half-{half}-{content_key(todo.recipe)[:8]}"
        begun = (folder / "training" / "recipe.json").exists()
        retrain(replace(todo, folder=TrainingFolder(folder)), resume=begun)
        with (folder / "training" / "history.csv").open(encoding="utf-8") as stream:
            losses = [float(row["validation_loss"]) for row in csv.DictReader(stream)]
        best = int(np.argmin(losses))
        return Training(folder, losses[0], losses[best], best)

    def vectors(self, weights: tuple[str, str]) -> pd.DataFrame:
        """Vectors by id: of half 0 from the first weights, of half 1 from the second."""
        parts = []
        for half in HALVES:
            plan = self.plan(half, weights[half])
            (view,) = embed_all(plan).views.values()
            parts.append(pd.DataFrame(view.values, plan.dataset.ids[view.rows]))
        return pd.concat(parts)

    def components(self) -> pd.DataFrame:
        """100 principal components, fitted on the other half, of what the model is given."""
        given = [self._given(half) for half in HALVES]
        parts = []
        for half in HALVES:
            pca = PCA(N_COMPONENTS, svd_solver="randomized", random_state=0)
            pca.fit(given[1 - half].to_numpy())
            values = pca.transform(given[half].to_numpy()).astype(np.float32)
            parts.append(pd.DataFrame(values, given[half].index))
        return pd.concat(parts)

    def _given(self, half: int) -> pd.DataFrame:
        plan = self.plan(half, "random")
        job = model_job(plan, plan.models[0])
        inputs = job.model.preparer(job.sources)(plan.dataset.read(np.arange(len(plan.dataset))))
        good = inputs.valid["image"]
        return pd.DataFrame(
            inputs.arrays["image"][good].reshape(good.sum(), -1), plan.dataset.ids[good]
        )

    def pictures(self) -> tuple[Array, Array]:
        """Ids (n,) and pictures (n, side, side)."""
        dataset = self.plan(None, "random").dataset
        batch = dataset.read(np.arange(len(dataset)))
        return dataset.ids, batch.whole("euclid", Images).flux[:, 0]


def divide(survey: Path, folder: Path) -> TwoHalves:
    """The halves of a survey, by a hash of the source; lists of their ids are written."""
    both = TwoHalves(survey, folder, pd.DataFrame())
    dataset = both.plan(None, "random").dataset
    objects = objects_at(dataset, np.arange(len(dataset)))
    group = group_keys(objects)
    objects["group"], objects["half"] = group, assign_folds(group, len(HALVES))
    for half in HALVES:
        ids = objects.loc[objects["half"] == half, "object_id"].astype(str)
        (folder / f"half-{half}.txt").write_text("\n".join(ids) + "\n", encoding="utf-8")
    return replace(both, objects=objects)


def tell(what: str, done: int, total: int) -> None:
    """Progress, one line a step."""
    if done in (0, total):
        print(f"{what}: {done:,} of {total:,}", file=sys.stderr)
