"""What screens call lists, roles and details: each thing said where it is first seen, and once."""

import json

import numpy as np
import pandas as pd
import pytest

from fmb import open_run

N = 300


@pytest.fixture
def detect(fmb, tmp_path):
    """`fmb detect` on two views of N objects with a catalogue: the screen."""

    def run(*words, given="magnitude,snr", out="mine"):
        rng = np.random.default_rng(3)
        ids = np.arange(N)
        views = {view: rng.normal(size=(N, 4)).astype(np.float32) for view in ("image", "spectrum")}
        np.savez(tmp_path / "v.npz", object_id=ids, **views)
        table = {"object_id": ids, "magnitude": rng.normal(20, 1, N), "snr": rng.normal(9, 1, N)}
        pd.DataFrame(table).to_csv(tmp_path / "v.csv", index=False)
        files = ("--embeddings", "v.npz", "--catalog", "v.csv", "--given", given)
        result = fmb("detect", *files, *words, "--no-companions", "--out", out)
        assert result.exit_code == 0, result.stderr
        return flat(result)

    return run


def flat(result):
    """A screen on one line."""
    assert result.exit_code == 0, result.stderr
    return " ".join(result.stdout.split())


def test_top_names_the_run_that_it_shows(detect, fmb):
    detect("--detector", "gaussian")
    assert fmb("top", "-k", "1").stdout.startswith(f"run mine: {N} objects of v.npz\n\n")


def test_a_table_of_an_analysis_is_printed_above_its_file(detect, fmb):
    detect("--detector", "gaussian", "--detector", "typical")
    result = fmb("analyze", "nuisance", "mine")
    lines = result.stdout.splitlines()
    path = open_run("mine").folder.table("nuisance", "strength")
    assert lines[-1] == str(path)
    assert max(map(len, lines[:-1])) <= 80
    assert "nuisance.strength: AUROC of telling the head of a list by a role" in flat(result)
    table = open_run("mine").table("nuisance", "strength")
    row = next(
        line.split() for line in lines if line.startswith("gaussian image") and "snr" in line
    )
    known = table[(table["detector"] == "gaussian") & (table["view"] == "image")].set_index("role")
    assert row[2:4] == ["snr", f"{known.loc['snr', 'auroc']:.3g}"]
    assert f"(head 50, ranked {N})" in flat(result)  # what all rows share is said once
    told = json.loads(fmb("analyze", "nuisance", "mine", "--json").stdout)
    assert told == {"tables": [str(path)]}


def test_weights_that_no_input_can_feed_are_not_proposed(fmb, home, make_survey):
    """Spectra alone: weights for one band of images are of no use."""
    survey = make_survey(home.parent / "spectra")
    text = survey.read_text()
    images, spectra = text.index("[inputs.euclid]"), text.index("[inputs.desi]")
    survey.write_text(text[:images] + text[spectra:])
    asked = ("run", "--model", "astropt", "--detector", "gaussian", "--data", survey)
    unasked = fmb(*asked)
    assert unasked.exit_code == 2
    assert "choose with --weights astropt=...; tiny, random, a weights folder" in unasked.stderr
    wrong = fmb(*asked, "--weights", "tiny-one-band")
    assert wrong.exit_code == 2
    assert "other weights: tiny, random, see" in wrong.stderr
