"""What cannot be scored by the fits of a run: left out with the reason, or refused."""

import shutil

import numpy as np
import pandas as pd
import pytest
from fitted_sky import DETECTORS, NEW, N, fit, refused, score, scored, sky, write

from fmb import open_run


def test_lists_that_cannot_be_made_are_named_with_the_reason(fmb, skies):
    rows = pd.DataFrame({"object_id": np.arange(N), "score": np.arange(N) / N})
    rows.to_csv("told.csv", index=False)
    told = ("--detector", "from-table", "--set", "detector.from-table.file=told.csv")
    told += (
        "--set",
        "detector.from-table.column=score",
        "--set",
        "detector.from-table.higher=stranger",
    )
    fit(fmb, detectors=(*DETECTORS, *told))
    base = open_run("base")
    shutil.rmtree(base.folder.detectors(base.list_called("gaussian w")))
    run = scored(fmb)
    assert [name.stem for name in run.lists] == [
        "own.as-is.v.gaussian.given",
        "own.as-is.v+w.mismatch",
    ]
    notes = [note["text"] for note in run.manifest["notes"] if note["code"] == "fitted"]
    assert any("gaussian given magnitude: the fits were removed" in text for text in notes)
    assert any("fits of from-table cannot be kept" in text for text in notes)
    assert any("lists that it is made of are not" in text for text in notes)


def test_a_view_or_a_role_that_new_objects_lack_leaves_the_other_lists(fmb, skies, rng):
    fit(
        fmb,
        "--set",
        "detector.raw.given=none",
        detectors=(*DETECTORS, "--detector", "raw=gaussian"),
    )
    ids, vectors, catalog = sky(rng, NEW, 10_000)
    del catalog["magnitude"]
    write("new", (ids, vectors, catalog), views=("v",))
    run = scored(fmb)
    assert [name.stem for name in run.lists] == ["own.as-is.v.raw"]
    notes = " ".join(note["text"] for note in run.manifest["notes"])
    assert "these objects have no magnitude" in notes
    assert "these objects have no w" in notes


def test_vectors_that_no_fit_has_seen_the_like_of_are_named(fmb, skies, rng):
    fit(fmb)
    ids, vectors, catalog = sky(rng, NEW, 10_000)
    write("new", (ids, {"v": vectors["v"], "x": vectors["w"]}, catalog), views=("v", "x"))
    notes = [note["text"] for note in scored(fmb).manifest["notes"]]
    assert "vectors 'x' are of no view of run 'base'; choose from v, w" in notes


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--fitted", "bose", "--embeddings", "new.npz"), ("no run is called 'bose'", "base")),
        (("--fitted", "base"), ("vectors of your own", "--embeddings")),
        (("--fitted", "base", "--data", "demo"), ("vectors of your own", "--embeddings")),
        (
            ("--fitted", "base", "--embeddings", "new.npz", "--seed", "3"),
            ("another run.seed", "leave it out"),
        ),
        (
            ("--fitted", "base", "--embeddings", "new.npz", "--detector", "knn"),
            ("another detector.knn.use", "leave it out"),
        ),
        (
            ("--fitted", "base", "--embeddings", "new.npz", "--reference", "object_id > 3"),
            ("another run.reference", "leave it out"),
        ),
        (("--fitted", "base", "--embeddings", "wide.npz"), ("7 numbers each", "have 4")),
        (("--fitted", "base", "--embeddings", "alien.npz"), ("no list of these", "no v")),
        (
            ("--fitted", "base", "--embeddings", "misspelt.npz"),
            ("no list of these", "'vv' are of no view of run 'base'; did you mean 'v'?"),
        ),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(fmb, skies, rng, args, told):
    fit(fmb)
    ids = np.arange(40)
    np.savez("wide.npz", object_id=ids, v=rng.normal(size=(40, 7)))
    np.savez("alien.npz", object_id=ids, z=rng.normal(size=(40, 4)))
    np.savez("misspelt.npz", object_id=ids, vv=rng.normal(size=(40, 4)))
    refused(fmb("detect", *args, "--out", "r"), *told)
    assert not (skies / "runs" / "r").exists()


def test_a_run_without_fits_of_its_own_is_refused(fmb, skies):
    fit(fmb)
    scored(fmb)
    refused(score(fmb, base="r", out="s"), "made by the fits of 'base'", "--fitted base")
    base = open_run("base")
    shutil.rmtree(base.folder.path / "detectors")
    refused(score(fmb, out="s"), "can make no list", "the fits were removed")
    base.folder.manifest.unlink()
    refused(score(fmb, out="s"), "'base' is not finished")
