"""What screens call lists, roles and details: each thing said where it is first seen, and once."""

import json

import numpy as np
import pandas as pd
import pytest

from fmb import DetectorSpec, open_run

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


def test_a_list_of_the_ordinary_is_not_called_one_of_the_strangest(detect, fmb):
    screen = detect("--detector", "typical", "--detector", "gaussian", given="none")
    assert f"own image (as-is), typical: the most ordinary of {N}" in screen
    assert f"own image (as-is), gaussian: the strangest of {N}" in screen


def test_roles_that_lists_are_given_are_named_once(detect, fmb):
    screen = detect("--detector", "gaussian", "--detector", "typical")
    assert screen.count("given magnitude, snr") == 1
    assert "own image (as-is), typical given the same: the most ordinary" in screen
    shown = flat(fmb("object", "5", "--run", "mine"))
    assert shown.count("given magnitude, snr") == 1
    own = ("--set", "detector.gaussian.given=snr")
    screen = detect("--detector", "gaussian", "--detector", "typical", *own, out="two")
    assert screen.count("given snr:") == 2  # what is not the same as above is named
    assert screen.count("given magnitude, snr:") == 2


def test_roles_that_were_measured_are_explained_where_they_are_shown(
    fmb, counting, make_survey, tmp_path
):
    survey = make_survey(tmp_path / "large", n=300)
    model = ("--model", "counting", "--weights", "random", "--view", "image")
    asked = ("--detector", "gaussian", "--given", "light", "--out", "mine")
    screen = flat(fmb("detect", "--data", survey, *model, *asked))
    said = "light@euclid = logarithm of the light above the sky"
    assert screen.count(said) == 1
    assert screen.index("given light@euclid") < screen.index(said)
    first = open_run("mine").objects["object_id"][0]
    shown = flat(fmb("object", first, "--run", "mine"))
    assert f"{said}, or of the level of the spectrum; measured on euclid" in shown


def test_details_are_explained_once(detect, fmb):
    detect("--detector", "typical", given="none")
    shown = flat(fmb("object", "5", "--run", "mine"))
    assert shown.count("clump_size") == 2  # two views
    assert shown.count("(objects in its clump, itself included)") == 1
    assert shown.index("(objects in its clump") < shown.index("typical spectrum:")


def test_a_meaning_of_what_is_no_detail_is_refused():
    spec = DetectorSpec(
        name="d",
        summary="s",
        target="m:C",
        details={"distance": "sigma"},
        meanings={"distanze": "from the mean"},
    )
    assert spec.problem() == "meanings names 'distanze', which is not in details"


def test_every_detail_of_our_detectors_has_a_meaning():
    from fmb.plugins.loading import load_plugins

    specs = [component.spec for component in load_plugins().registry.all(DetectorSpec)]
    assert len(specs) > 10
    assert {s.name: set(s.details) - set(s.meanings) for s in specs if s.details} == {
        s.name: set() for s in specs if s.details
    }


def test_top_names_the_run_that_it_shows(detect, fmb):
    detect("--detector", "gaussian")
    assert fmb("top", "-k", "1").stdout.startswith(f"run mine: {N} objects of v.npz\n\n")


def test_one_object_is_no_objects(fmb, home):
    np.savez("v.npz", object_id=np.arange(4), v=np.random.default_rng(0).normal(size=(4, 2)))
    asked = (
        "detect",
        "--embeddings",
        "v.npz",
        "--detector",
        "gaussian",
        "--where",
        "object_id < 1",
    )
    assert "1 object with vectors of their own" in fmb(*asked, "--dry-run").stdout


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
