"""`fmb retrain`: the weights it writes, how it resumes, and several processes."""

import errno
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors.numpy import load_file
from small_training import OPTIONS, assert_same, history, refused

from fmb.store.keys import file_sha256


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
