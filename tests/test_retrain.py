"""`fmb retrain`: the weights it writes, how it resumes, several processes, and bad input."""

import csv
import errno
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from fmb import ModelSpec, hookimpl
from fmb.store.keys import file_sha256

OPTIONS = (
    "retrain", "astropt", "--data", "survey.toml", "--weights", "random", "--batch-size", "8",
    "--set", "model.astropt.preset=tiny", "--set", "model.astropt.min_coverage=0.5",
    "--set", "train.epochs=3", "--set", "train.checkpoint_steps=2",
)  # fmt: skip
CHILD = """
import os
os.environ["FMB_HOME"] = {home!r}
os.chdir({cwd!r})
import torch
torch.set_num_threads(1)
from fmb.cli import main
main({args!r}, prog_name="fmb")
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory, make_survey) -> Path:
    """A folder with a survey of 40 objects; three have no image, two no spectrum."""
    folder = tmp_path_factory.mktemp("retrain")

    def absent(arrays):
        arrays["image/flux"][[3, 8, 20]] = np.nan
        arrays["spectrum/flux"][[5, 31]] = np.nan

    make_survey(folder, change=absent)
    return folder


@pytest.fixture(scope="module")
def context():
    """Children that start with everything imported, so that a kill hits the work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fmb_train.command", "fmb_train.retrain", "fmb_astropt.model"])
    return context


@pytest.fixture(scope="module")
def start(place, context):
    """Start `fmb` in a child: start(arguments)."""

    def run(*args):
        code = CHILD.format(home=str(place / "home"), cwd=str(place), args=[str(a) for a in args])
        process = context.Process(target=exec, args=(code, {}))
        process.start()
        return process

    return run


@pytest.fixture(scope="module")
def undisturbed(place, start) -> Path:
    """A finished training."""
    process = start(*OPTIONS, "--out", "undisturbed")
    process.join()
    assert process.exitcode == 0
    return place / "undisturbed"


def history(folder: Path) -> list[dict[str, float]]:
    with (folder / "training" / "history.csv").open() as stream:
        return [
            {k: float(v or "nan") for k, v in row.items() if k != "seconds"}
            for row in csv.DictReader(stream)
        ]


def assert_same(one: list[dict], other: list[dict], tolerance: float) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert list(a) == list(b)
        np.testing.assert_allclose([*a.values()], [*b.values()], rtol=tolerance, equal_nan=True)


@pytest.mark.slow
def test_kill_9_at_five_random_moments_changes_nothing(place, start, undisturbed):
    expected, tensors = history(undisturbed), load_file(undisturbed / "model.safetensors")
    rng = np.random.default_rng(9)
    recipe, card = undisturbed / "training" / "recipe.json", undisturbed / "card.json"
    span = card.stat().st_mtime - recipe.stat().st_mtime
    hit, kill = 0, -1
    while hit < 5:
        kill += 1
        assert kill < 20, "the training ends before it can be killed"
        folder = place / f"killed-{kill}"
        process = start(*OPTIONS, "--out", folder)
        while not (folder / "training" / "recipe.json").exists():
            assert process.is_alive()
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.9 * span))
        process.kill()
        process.join()
        if process.exitcode == 0:
            span /= 2  # it was faster than the undisturbed one
            continue
        hit += process.exitcode == -signal.SIGKILL
        assert not (folder / "card.json").exists()
        resumed = start(*OPTIONS, "--out", folder, "--resume")
        resumed.join()
        assert resumed.exitcode == 0
        assert_same(history(folder), expected, 1e-6)
        found = load_file(folder / "model.safetensors")
        assert all(np.array_equal(found[name], tensors[name]) for name in tensors)


@pytest.mark.slow
def test_two_processes_train_what_one_does(place, undisturbed):
    """Twenty updates of the same batches; only the first process writes and talks."""
    settings = ("--set", "train.steps=20", "--set", "train.patience=0")
    results = []
    for world in (1, 2):
        launcher = ("-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={world}")
        training = ("-m", "fmb", *OPTIONS, *settings, "--out", f"world-{world}")
        done = subprocess.run(
            [sys.executable, *launcher, *training],
            cwd=place,
            env={**os.environ, "FMB_HOME": str(place / "home"), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("validation loss") == 1
        results.append(place / f"world-{world}")
    one, two = results
    assert history(one)[-1]["updates"] == 20
    assert_same(history(two), history(one), 1e-5)
    tensors = load_file(one / "model.safetensors")
    for name, values in load_file(two / "model.safetensors").items():
        # absolute: AdamW divides a gradient by its own size, rounding of tiny ones included
        np.testing.assert_allclose(values, tensors[name], atol=1e-5, err_msg=name)
    made = [json.loads((folder / "card.json").read_text())["training"] for folder in results]
    assert [record["processes"] for record in made] == [1, 2]
    assert made[0]["samples"] == made[1]["samples"]
    assert made[0]["unusable"] == made[1]["unusable"]


@pytest.mark.slow
def test_reading_workers_change_nothing(place, start, undisturbed):
    process = start(
        *OPTIONS, "--workers", "1", "--set", "train.cache_mb=0", "--set", "train.steps=5",
        "--out", "workers",
    )  # fmt: skip
    process.join()
    assert process.exitcode == 0
    assert_same(history(place / "workers")[:1], history(undisturbed)[:1], 0)


@pytest.fixture
def fmb_there(fmb, place, monkeypatch):
    """`fmb` in this process, where the survey is."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("FMB_HOME", str(place / "home"))
    return fmb


def test_the_folder_is_taken_by_weights_and_gives_other_vectors_than_its_start(
    fmb_there, place, undisturbed
):
    run = ("run", "--model", "astropt", "--data", "survey.toml", "--detector", "gaussian",
           "--plot", "score-histogram")  # fmt: skip
    done = fmb_there(*run, "--weights", undisturbed, "--out", "trained")
    assert done.exit_code == 0, done.stderr
    assert "random weights" not in done.stderr
    start = fmb_there(
        *run, "--weights", "random", "--set", "model.astropt.preset=tiny", "--out", "random"
    )
    assert start.exit_code == 0, start.stderr
    scores = [
        (place / "home" / "runs" / name / "scores" / "astropt.tails.image.gaussian.parquet")
        for name in ("trained", "random")
    ]
    assert scores[0].read_bytes() != scores[1].read_bytes()


def test_the_card_says_what_the_weights_were_made_from(place, undisturbed):
    card = json.loads((undisturbed / "card.json").read_text())
    made = card["training"]
    assert card["name"] == "undisturbed"
    assert card["random_seed"] is None
    assert [a["instruments"] for a in card["accepts"]] == [["euclid"], ["desi"]]
    assert card["accepts"][0]["pixel_scale_arcsec"] == [0.1, 0.1]
    assert made["data"]["name"] == "tiny"
    assert len(made["data_digest"]) == 64
    assert made["inputs"] == {"image": "euclid", "spectrum": "desi"}
    assert made["weights"]["name"] == "random"
    assert len(made["weights"]["sha256"]["card.json"]) == 64
    assert made["objects"] == {"training": 36, "validation": 4}
    assert made["train"]["epochs"] == 3
    assert made["train"]["batch_size"] == 8
    assert made["updates"] == 15
    assert made["samples"] == 3 * 36
    assert made["seconds"] > 0
    assert made["environment"]["packages"]["torch"]
    assert sum(made["unusable"].values()) in (3, 4, 5)  # some of the five may be held out
    assert not list((undisturbed / "training").glob("*.safetensors"))
    assert (undisturbed / "training" / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_training_goes_on_from_trained_weights_with_a_low_rank_update(
    fmb_there, place, undisturbed
):
    args = [*OPTIONS, "--set", "train.lora_r=2", "--set", "train.stored=float16", "--out", "tuned"]
    args[args.index("random")] = str(undisturbed)
    preset = args.index("model.astropt.preset=tiny")  # the card of the start settles it
    del args[preset - 1 : preset + 1]
    done = fmb_there(*args, "--set", "train.learning_rate=3e-4", "--json")
    assert done.exit_code == 0, done.stderr
    card = json.loads(done.stdout)
    assert card["architecture"]["lora_r"] == 2
    assert card["training"]["weights"]["name"] == "undisturbed"
    tuned, base = (load_file(f / "model.safetensors") for f in (place / "tuned", undisturbed))
    assert all(values.dtype == np.float16 for values in tuned.values())
    assert card["training"]["weights"]["sha256"]["model.safetensors"] == file_sha256(
        undisturbed / "model.safetensors"
    )
    frozen = "transformer.h.0.attn.c_attn.weight"
    np.testing.assert_array_equal(tuned[frozen], base[frozen].astype(np.float16))
    assert (
        fmb_there(
            "embed", "--model", "astropt", "--data", "survey.toml", "--weights", "tuned"
        ).exit_code
        == 0
    )


def test_a_dry_run_measures_and_writes_nothing(fmb_there, place, undisturbed):
    done = fmb_there(*OPTIONS, "--out", "never", "--dry-run", "--json")
    assert done.exit_code == 0, done.stderr
    cost = json.loads(done.stdout)
    assert (cost["training"], cost["validation"]) == (36, 4)
    assert cost["parameters"] == sum(
        v.size for v in load_file(undisturbed / "model.safetensors").values()
    )
    assert cost["epoch_s"] >= 0
    assert not (place / "never").exists()


def test_a_finished_training_resumes_to_what_it_is(fmb_there, undisturbed):
    before = (undisturbed / "card.json").read_bytes()
    done = fmb_there(*OPTIONS, "--out", "undisturbed", "--resume")
    assert done.exit_code == 0, done.stderr
    assert "validation loss" in done.stdout
    assert (undisturbed / "card.json").read_bytes() == before


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


@pytest.mark.parametrize("file", ["checkpoint", "history", "loss.png", "model", "card"])
def test_a_full_disk_is_one_line_and_the_training_goes_on(
    fmb_there, place, undisturbed, file, monkeypatch
):
    honest, count = os.fsync, 0

    def full(handle):
        nonlocal count
        count += f".{file}" in os.readlink(f"/proc/self/fd/{handle}")
        if count == (3 if file in ("checkpoint", "history") else 1):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        honest(handle)

    folder = place / f"full-{file}"
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        refused(fmb_there(*OPTIONS, "--out", folder), "no space left", file, code=1)
    assert not (folder / "card.json").exists()
    assert (folder / "training" / "checkpoint.safetensors").exists()
    assert not list(folder.rglob("*.tmp"))
    resumed = fmb_there(*OPTIONS, "--out", folder, "--resume")
    assert resumed.exit_code == 0, resumed.stderr
    assert_same(history(folder), history(undisturbed), 1e-6)


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
