"""Requests that cannot be trained: one line each, and nothing of others is touched."""

import json
import shutil

import numpy as np
import pytest
from small_training import OPTIONS

from fmb import ModelSpec, hookimpl


def refused(result, *words, code=2):
    assert result.exit_code == code, result.stdout + result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("fmb: ")]
    assert len(lines) == 1
    for word in words:
        assert word in lines[0]


def changed(option: str, value: str) -> list[str]:
    args = [*OPTIONS]
    args[args.index(option) + 1] = value
    return args


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((*OPTIONS, "--limit", "7"), ("7 objects", "too few", "train.folds")),
        ((*OPTIONS, "--set", "train.epoch=3"), ("train.epoch", "did you mean 'epochs'")),
        ((*OPTIONS, "--set", "train.slots=['spectra']"), ("nothing feeds 'spectra'", "spectrum")),
        ((*OPTIONS, "--precision", "bf16", "--device", "cpu"), ("float32", "bf16")),
        (changed("--weights", "rundom"), ("rundom", "did you mean 'random'")),
        (changed("--data", "nowhere.toml"), ("nowhere.toml", "no such file")),
        ((*OPTIONS, "--set", "train.fold_by=sky"), ("sky folds need",)),
    ],
)  # fmt: skip
def test_a_bad_request_is_one_line(fmb_there, place, args, words):
    refused(fmb_there(*args, "--out", "refused"), *words)
    assert not (place / "refused").exists()


def test_weights_to_start_from_must_be_named(fmb_there):
    refused(fmb_there("retrain", "astropt", "--data", "survey.toml", "--out", "x"), "--weights")


def test_weights_of_another_model_are_no_start(fmb_there, place, undisturbed):
    other = place / "other-model"
    shutil.copytree(undisturbed, other)
    card = json.loads((other / "card.json").read_text())
    (other / "card.json").write_text(json.dumps({**card, "model": "aion"}))
    args = changed("--weights", str(other))
    refused(fmb_there(*args, "--out", "refused"), "for 'aion', not 'astropt'")


def test_settings_may_stand_in_a_file_and_options_win(fmb_there, place):
    (place / "recipe.toml").write_text("[train]\nepochs = 7\npatience = 3\n")
    done = fmb_there(*OPTIONS, "--out", "config", "--config", "recipe.toml", "--json")
    assert done.exit_code == 0, done.stderr
    settings = json.loads(done.stdout)["training"]["train"]
    assert (settings["epochs"], settings["patience"]) == (3, 3)


def test_a_model_without_training_says_so(fmb_there, monkeypatch):
    from fmb_astropt import plugin

    (spec,) = plugin.fmb_register_models()
    declared = [ModelSpec(**{**vars(spec), "retrain_config": ""})]
    monkeypatch.setattr(plugin, "fmb_register_models", hookimpl(lambda: declared))
    refused(fmb_there(*OPTIONS, "--out", "refused"), "'astropt' cannot be retrained")


def test_a_folder_in_use_is_not_touched(fmb_there, place, undisturbed):
    theirs = place / "thesis"
    theirs.mkdir(exist_ok=True)
    (theirs / "chapter.tex").write_text("years")
    refused(fmb_there(*OPTIONS, "--out", theirs), "thesis", "not a training", "another --out")
    refused(fmb_there(*OPTIONS, "--out", theirs, "--resume"), "not a training")
    assert [p.name for p in theirs.iterdir()] == ["chapter.tex"]
    refused(fmb_there(*OPTIONS, "--out", "undisturbed"), "finished weights", "another --out")
    refused(fmb_there(*OPTIONS, "--out", "nothing", "--resume"), "no training to resume")


def test_an_unfinished_training_is_resumed_with_its_own_settings_only(fmb_there, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("fmb_train.update.Updater.update", interrupted)
        result = fmb_there(*OPTIONS, "--out", "half")
    refused(result, "interrupted", "--resume", code=130)
    refused(fmb_there(*OPTIONS, "--out", "half"), "unfinished training", "--resume")
    other = (*OPTIONS, "--out", "half", "--resume")
    refused(fmb_there(*other, "--set", "train.clip=2"), "another train.clip", "another --out")
    refused(fmb_there(*other, "--seed", "4"), "another seed, weights.sha256.card.json")
    refused(fmb_there(*other, "--limit", "30"), "another data.selection")
    done = fmb_there(*other, "--workers", "0", "--device", "cpu")  # these change no number
    assert done.exit_code == 0, done.stderr


def test_a_learning_rate_that_diverges_is_one_line(fmb_there):
    args = (*OPTIONS, "--set", "train.learning_rate=1e6", "--out", "diverged")
    refused(fmb_there(*args), "lower train.learning_rate (now 1e+06)", code=1)


def test_a_survey_whose_spectra_are_all_missing_is_one_line(fmb, home, tmp_path, make_survey):
    def absent(arrays):
        arrays["spectrum/flux"][:] = np.nan

    make_survey(tmp_path, change=absent)
    refused(fmb(*OPTIONS, "--out", "images"), "usable spectrum", "train.slots=['image']")
    # Nothing was learned yet: the folder is taken over.
    done = fmb(*OPTIONS, "--set", "train.slots=['image']", "--out", "images", "--json")
    assert done.exit_code == 0, done.stderr
    card = json.loads(done.stdout)
    assert [m["name"] for m in card["architecture"]["modalities"]] == ["images"]
    assert [a["slot"] for a in card["accepts"]] == ["image"]
