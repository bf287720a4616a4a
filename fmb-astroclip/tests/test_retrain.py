"""`fmb retrain astroclip`: weights that embed, and one line for what cannot be trained."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result

from fmb.cli import main

IMAGES = """
name = "pairs"
file = "pairs.h5"
catalog = { id = "object_id", columns = ["redshift", "mag_r", "mag_g"] }

[inputs.legacysurvey]
kind = "images"
flux = "image"
bands = ["DES-G", "DES-R", "DES-Z"]
unit = "nmgy"
pixel_scale_arcsec = 0.262
"""
SPECTRA = """
[inputs.desi]
kind = "spectra"
flux = "flux"
present = "has_spectrum"
wavelength = "wavelength"
unit = "1e-17 erg / (s cm2 Angstrom)"
"""
N = 40


@pytest.fixture
def survey(tmp_path, monkeypatch) -> Callable[..., Path]:
    """survey.toml of 40 objects; the first three have no spectrum, the fourth no usable image."""
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def write(text: str = IMAGES + SPECTRA) -> Path:
        rng = np.random.default_rng(0)
        level = rng.normal(size=N)
        image = rng.normal(0.05, 0.02, (N, 3, 152, 152)).astype(np.float32)
        image[:, :, 40:110, 40:110] += np.exp(level)[:, None, None, None].astype(np.float32)
        image[3, 0, :100] = np.nan
        flux = (rng.normal(3, 0.5, (N, 300)) + 3 * level[:, None]).astype(np.float32)
        with h5py.File(tmp_path / "pairs.h5", "w") as file:
            file["object_id"] = np.arange(N) + 11
            file["image"], file["flux"] = image, flux
            file["has_spectrum"] = np.arange(N) >= 3
            file["wavelength"] = 3600 + 0.8 * np.arange(300)
            file["redshift"] = rng.uniform(0, 0.5, N)
            file["mag_r"], file["mag_g"] = 20 - level, 21 - level
        path = tmp_path / "survey.toml"
        path.write_text(text)
        return path

    return write


def fmb(*args) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in args], prog_name="fmb")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def retrain(survey: Path, *settings, weights="random") -> Result:
    usual = (
        "train.epochs=15", "train.learning_rate=0.002", "train.batch_size=12", "train.folds=4",
        "train.blocks=0",
    )  # fmt: skip
    sizes = ["model.astroclip.preset=tiny"] if weights == "random" else []
    chosen = [part for text in (*sizes, *usual, *settings) for part in ("--set", text)]
    command = ("retrain", "astroclip", "--data", survey, "--weights", weights, "--out", "trained")
    return fmb(*command, *chosen)


def test_a_training_ends_as_weights_that_embed_and_can_be_gone_on_with(survey):
    path = survey()
    done = retrain(path, "train.learn_temperature=true", "train.decoys=5")
    assert done.exit_code == 0, done.stderr
    card = json.loads(Path("trained/card.json").read_text())
    assert card["random_seed"] is None
    assert card["training"]["train"]["learn_temperature"] is True
    assert sum(card["training"]["objects"].values()) == N - 3
    assert 0 < abs(card["architecture"]["temperature"] - 15.5) < 5
    with open("trained/training/history.csv") as stream:
        rows = list(csv.DictReader(stream))
    assert {float(row["held_out_decoys"]) for row in rows} == {5}
    assert {float(row["held_out_matched"]) for row in rows} == {1}
    embedded = fmb("embed", "--model", "astroclip", "--weights", "trained", "--data", path)
    assert embedded.exit_code == 0, embedded.stderr
    Path("trained").rename("base")
    again = retrain(path, "train.epochs=40", "train.dropout=0", weights="base")
    assert again.exit_code == 0, again.stderr
    tuned = json.loads(Path("trained/card.json").read_text())
    assert tuned["architecture"]["temperature"] == card["architecture"]["temperature"]


def test_a_survey_without_redshifts_is_told_that_decoys_are_not_matched(survey, caplog):
    text = (IMAGES + SPECTRA).replace(', columns = ["redshift", "mag_r", "mag_g"]', "")
    done = retrain(survey(text))
    assert done.exit_code == 0, done.stderr
    told = "the survey has no column for the redshift: partners are looked for among any held-out"
    assert (done.stderr + caplog.text).count(told) == 1


def other_weights(name: str) -> str:
    Path("other").mkdir()
    card = {
        "model": "astropt", "name": "other", "architecture": {}, "preprocessing": {},
        "accepts": [], "random_seed": 1,
    }  # fmt: skip
    Path("other/card.json").write_text(json.dumps(card))
    return name


REFUSED = {
    "no spectra": (IMAGES, (), "astroclip learns from image and spectrum of each object, but"),
    "one slot": (None, ('train.slots=["image"]',), "but nothing feeds 'spectrum'"),
    "batches of one": (None, ("train.batch_size=1",), "a pair is told from the others of its"),
    "parts of one": (None, ("train.micro_batch=1",), "micro_batch must be at least 2"),
    "no such column": (None, ("train.magnitude_column=mag_q",), "no column of numbers is called"),
    "too many blocks": (None, ("train.blocks=4",), "the towers have 3 and 2 blocks"),
    "another model": (None, "other", "'astropt'"),
    "one pair": (None, "--limit", "a partner is found among at least two"),
}


@pytest.mark.parametrize(("text", "settings", "told"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_trained_is_refused_in_one_line(survey, text, settings, told):
    path = survey(text or IMAGES + SPECTRA)
    if settings == "other":
        result = retrain(path, weights=other_weights("other"))
    elif settings == "--limit":
        result = fmb(
            "retrain", "astroclip", "--data", path, "--weights", "random", "--out", "trained",
            "--set", "model.astroclip.preset=tiny", "--where", "object_id >= 47",
            "--set", "train.folds=4",
        )  # fmt: skip
    else:
        result = retrain(path, *settings)
    lines = [line for line in result.stderr.splitlines() if line.startswith("fmb:")]
    assert result.exit_code == 2, result.stderr
    assert len(lines) == 1
    assert told in lines[0]
    assert not Path("trained/card.json").exists()


def test_the_cost_of_a_training_can_be_asked_for(survey):
    result = fmb(
        "retrain", "astroclip", "--data", survey(), "--weights", "random", "--out", "trained",
        "--dry-run", "--json", "--set", "model.astroclip.preset=tiny", "--set", "train.blocks=0",
    )  # fmt: skip
    cost = json.loads(result.stdout)
    # two heads of width 64: query, attention 4 x (64 x 64 + 64), norm, MLP 64 - 256 - 64
    head = 64 + 4 * (64 * 64 + 64) + 2 * 64 + (64 * 256 + 256) + (256 * 64 + 64)
    assert cost["parameters"] == 2 * head
    assert not Path("trained").exists()
