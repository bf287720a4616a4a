"""A survey in two halves: weights are trained on one and give the vectors of the other."""

import csv
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from fmb.contract.arrays import Array
from fmb.contract.inputs import Images
from fmb.datasets.groups import group_keys
from fmb.datasets.objects import objects_at
from fmb.plan.make import make_plan
from fmb.plan.options import options_request
from fmb.plan.records import Plan
from fmb.plugins.loading import load_plugins
from fmb.retraining import plan_retraining, retrain
from fmb.scoring.folds import assign_folds
from fmb.steps.embed import embed_model, model_job, read_embeddings
from fmb.store.atomic import ensure_folder
from fmb.store.keys import content_key
from fmb.store.workspace import workspace
from fmb.training_folder import TrainingFolder

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

    def plan(self, half: int | None, weights: str, *settings: str, **choices: Any) -> Plan:
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
        if choices.get("detect"):
            options["detector"] = ["gaussian", "flow"]
        made = {"detect": False, "draw": False, **choices}
        registry = load_plugins().registry
        return make_plan(options_request(options), registry, ensure_folder(workspace()), **made)

    def trained(self, half: int, weights: str, *settings: str) -> Training:
        """Weights trained on a half, as `fmb retrain` does it; kept, and gone on with."""
        plan = self.plan(half, weights, *settings, train=True)
        todo = plan_retraining(plan, self.folder)
        folder = self.folder / f"half-{half}-{content_key(todo.recipe)[:8]}"
        begun = (folder / "training" / "recipe.json").exists()
        retrain(replace(todo, folder=TrainingFolder(folder)), resume=begun, progress=tell)
        with (folder / "training" / "history.csv").open(encoding="utf-8") as stream:
            losses = [float(row["validation_loss"]) for row in csv.DictReader(stream)]
        best = int(np.argmin(losses))
        return Training(folder, losses[0], losses[best], best)

    def vectors(self, weights: tuple[str, str]) -> pd.DataFrame:
        """Vectors by id: of half 0 from the first weights, of half 1 from the second."""
        parts = []
        for half in HALVES:
            plan = self.plan(half, weights[half])
            assert plan.dataset is not None
            views = embed_model(plan, plan.models[0], tell)
            found = read_embeddings(plan.dataset, views).vectors("image")
            parts.append(pd.DataFrame(found.values, found.ids))
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
        assert plan.dataset is not None
        job = model_job(plan, plan.models[0])
        inputs = job.model.preparer(job.sources)(plan.dataset.read(np.arange(len(plan.dataset))))
        good = inputs.valid["image"]
        return pd.DataFrame(
            inputs.arrays["image"][good].reshape(good.sum(), -1), plan.dataset.ids[good]
        )

    def pictures(self) -> tuple[Array, Array]:
        """Ids (n,) and pictures (n, side, side)."""
        dataset = self.plan(None, "random").dataset
        assert dataset is not None
        batch = dataset.read(np.arange(len(dataset)))
        return dataset.ids, batch.whole("euclid", Images).flux[:, 0]


def divide(survey: Path, folder: Path) -> TwoHalves:
    """The halves of a survey, by a hash of the source; lists of their ids are written."""
    both = TwoHalves(survey, folder, pd.DataFrame())
    dataset = both.plan(None, "random").dataset
    assert dataset is not None
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
