"""The weights that come with the package: small, traceable, and better than random ones."""

import csv
import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from fmb.cli import main
from fmb.weights import read_card
from fmb_astroclip.config import AstroCLIPConfig
from fmb_astroclip.model import AstroCLIPModel
from fmb_astroclip.retrieval import retrieval
from fmb_surveys.demo.survey import DemoSurvey

TINY = Path(str(files("fmb_astroclip") / "weights" / "tiny"))
DEVELOPMENT_SEED = 2
TEXTS = [path for path in sorted(TINY.rglob("*")) if path.suffix in (".json", ".csv")]


@pytest.fixture
def fmb(tmp_path, monkeypatch):
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))

    def call(*args: str) -> str:
        done = CliRunner().invoke(main, list(args), prog_name="fmb", catch_exceptions=False)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    return call


def test_the_whole_folder_takes_less_than_four_megabytes():
    assert sum(path.stat().st_size for path in TINY.rglob("*") if path.is_file()) <= 4_000_000
    assert not list(TINY.rglob("checkpoint*"))


def test_they_were_trained_on_a_survey_that_no_evaluation_looks_at():
    card = read_card(TINY)
    assert card.training["data"]["seed"] == 11
    assert card.random_seed is None
    assert card.licence == "BSD-3-Clause"
    assert card.training["inputs"] == {"image": "legacysurvey", "spectrum": "desi"}
    seen = {entry.slot: entry.instruments for entry in card.accepts}
    assert seen == {"image": ("legacysurvey",), "spectrum": ("desi",)}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_no_text_names_a_place_on_the_machine_it_was_made_on(path):
    assert not re.findall(r'"(?:/|~|[A-Z]:\\)[^"]*"', path.read_text())


def test_the_best_epoch_of_the_history_is_the_one_on_the_card():
    with (TINY / "training" / "history.csv").open() as stream:
        rows = [
            {key: float(value or "nan") for key, value in row.items()}
            for row in csv.DictReader(stream)
        ]
    best = min(rows, key=lambda row: row["validation_loss"])
    assert read_card(TINY).training["best"]["epoch"] == best["epoch"]
    assert best["validation_loss"] < rows[0]["validation_loss"]


def test_they_are_listed_first_and_verified_by_their_digest(fmb):
    listed = json.loads(fmb("weights", "list", "astroclip", "--json"))
    assert [(row["weights"], row["state"]) for row in listed][:2] == [
        ("tiny", "bundled"),
        ("random", "drawn"),
    ]
    told = fmb("weights", "verify", "astroclip", "tiny")
    assert told.startswith("tiny: bundled, package:fmb_astroclip/weights/tiny\n")
    for name in ("card.json", "model.safetensors"):
        digest = hashlib.sha256((TINY / name).read_bytes()).hexdigest()
        assert f"{name} sha256 {digest}" in " ".join(told.split())


def vectors(model: AstroCLIPModel, survey: DemoSurvey, rows: np.ndarray) -> dict[str, np.ndarray]:
    sources = {"image": "legacysurvey", "spectrum": "desi"}
    inputs = model.preparer(sources)(survey.read(rows, list(sources.values())))
    assert all(inputs.valid[slot].all() for slot in sources)
    found = model.encode(inputs, list(sources))
    return {view: tokens.values[:, 0].numpy() for view, tokens in found.items()}


def test_partners_are_found_better_than_with_random_weights(random_model):
    survey = DemoSurvey(200, DEVELOPMENT_SEED, ("legacysurvey", "desi"))
    have = [survey.inputs[name].present for name in ("legacysurvey", "desi")]
    rows = np.flatnonzero(np.logical_and(*have))
    tiny = AstroCLIPModel(AstroCLIPConfig())
    tiny.load(TINY)
    objects = pd.DataFrame(survey.catalog).iloc[rows].reset_index(drop=True)
    objects["object_id"] = survey.ids[rows]
    figures = {
        name: retrieval(
            objects, **vectors(model, survey, rows), redshift="redshift", magnitude="mag_r", k=50
        )
        for name, model in (("tiny", tiny), ("random", random_model(preset="tiny")))
    }
    for way in ("spectrum_rank", "image_rank"):
        # The intervals of the two medians are apart, and random weights are at chance (26 of 51).
        assert figures["tiny"][f"{way}_high"] < figures["random"][f"{way}_low"]
        assert figures["random"][f"{way}_high"] > 20
