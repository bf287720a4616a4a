"""The weights that come with the package."""

import csv
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch

from fmb import Batch
from fmb.datasets import open_dataset
from fmb.weights import read_card
from fmb_astropt.config import AstroPTConfig
from fmb_astropt.model import AstroPTModel
from fmb_astropt.plugin import fmb_register_models
from fmb_astropt.presets import random_card
from fmb_astropt.training import AstroPTTraining

FOLDERS = {
    name: Path(str(files("fmb_astropt"))) / "weights" / name for name in ("tiny", "tiny-one-band")
}
SLOTS = {
    "tiny": {"image": "euclid", "spectrum": "desi"},
    "tiny-one-band": {"image": "euclid"},
}
LARGEST = 4_000_000  # bytes


@pytest.fixture(params=FOLDERS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def galaxies(tmp_path_factory) -> Batch:
    """Simulated objects of a seed that trained nothing, those with all inputs."""
    dataset = open_dataset(
        "demo",
        settings={"n_objects": 80, "seed": 12, "planting": "none", "inputs": ["euclid", "desi"]},
        cache=tmp_path_factory.mktemp("data"),
    )
    whole = np.ones(len(dataset), dtype=bool)
    for instrument in ("euclid", "desi"):
        present = dataset.inputs[instrument].present
        whole &= True if present is None else present
    return dataset.read(np.flatnonzero(whole), ["euclid", "desi"])


def loaded(folder):
    model = AstroPTModel(AstroPTConfig(preset=folder.name), seed=0)
    model.load(folder)
    return model


def loss(model, sources, galaxies):
    """Next-patch loss of the objects that are usable in every slot."""
    task = model.task(AstroPTTraining(), sources)
    inputs = model.preparer(sources)(galaxies)
    usable = np.all([inputs.valid[slot] for slot in sources], axis=0)
    task.train(False)
    with torch.no_grad():
        return float(task.loss(inputs.take(np.flatnonzero(usable)))[0].mean())


def test_the_plugin_declares_them_first_so_that_the_demo_takes_them():
    (spec,) = fmb_register_models()
    assert [weights.name for weights in spec.weights] == [*FOLDERS, "random"]


def test_they_are_small_and_say_what_they_are(name):
    folder = FOLDERS[name]
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < LARGEST
    card = read_card(folder)
    assert (card.model, card.name, card.embedder) == ("astropt", name, "tails")
    assert card.licence == "AGPL-3.0-or-later"
    assert {a.slot: a.instruments for a in card.accepts} == {
        slot: (instrument,) for slot, instrument in SLOTS[name].items()
    }


def test_they_were_not_trained_on_the_surveys_they_are_shown_with(name):
    training = read_card(FOLDERS[name]).training
    assert training["data"]["seed"] not in (0, 1)


def test_they_predict_new_galaxies_as_well_as_those_held_out_and_random_weights_do_not(
    name, galaxies, tmp_path
):
    with (FOLDERS[name] / "training" / "history.csv").open() as file:
        held_out = min(float(row["validation_loss"]) for row in csv.DictReader(file))
    trained = loss(loaded(FOLDERS[name]), SLOTS[name], galaxies)
    (tmp_path / "card.json").write_text(
        random_card(AstroPTConfig(preset=name), 0).model_dump_json(), encoding="utf-8"
    )
    random = AstroPTModel(AstroPTConfig(preset=name), seed=0)
    random.load(tmp_path)
    assert trained == pytest.approx(held_out, rel=0.1)  # 80 objects scatter by some per cent
    assert loss(random, SLOTS[name], galaxies) > 1.5 * trained
