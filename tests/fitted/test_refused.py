"""What cannot be scored by the fits of a run: left out with the reason, or refused."""

import shutil

import numpy as np
import pandas as pd
import pytest
from fitted_sky import DETECTORS, NEW, N, arrays_of, fit, refused, score, scored, sky, write

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


def test_a_changed_copy_is_scored_by_the_fit_that_has_not_seen_its_host(fmb, skies, rng):
    fit(fmb)
    ids, vectors, catalog = sky(rng, NEW, 10_000)
    old = arrays_of("old")
    hosts = np.concatenate([old["object_id"][:20], ids[20:]])
    vectors = {v: a.copy() for v, a in vectors.items()}
    for view in vectors:
        vectors[view][:20] = old[view][:20] + 1
    write("new", (ids, vectors, {**catalog, "injected_from": hosts}))
    folds = open_run("base").scores("gaussian v")["fold"].iloc[:20]
    found = scored(fmb).scores("gaussian v")["fold"]
    assert found.iloc[:20].tolist() == folds.tolist()
    assert (found.iloc[20:] == -1).all()


@pytest.mark.parametrize(
    ("hosts", "told"),
    [
        ({3: 77_777}, "1 of 1 changed copies have no host among these objects (10003)"),
        ({3: 5}, ""),  # of the run
        ({3: 10_004, 4: 5}, "1 of 2 changed copies were made of copies (10003)"),
    ],
)
def test_hosts_of_copies_may_be_objects_of_the_run(fmb, skies, rng, hosts, told):
    fit(fmb)
    ids, vectors, catalog = sky(rng, NEW, 10_000)
    named = ids.copy()
    for row, host in hosts.items():
        named[row] = host
    write("new", (ids, vectors, {**catalog, "injected_from": named}))
    said = " ".join(score(fmb).stderr.split())
    assert told in said
    assert told or "changed copies have no host" not in said


def test_values_of_new_objects_that_stand_for_unknown_are_named(fmb, skies, rng):
    fit(fmb)
    ids, vectors, catalog = sky(rng, NEW, 10_000)
    catalog["magnitude"][:4] = -9999
    write("new", (ids, vectors, catalog))
    notes = [note["text"] for note in scored(fmb).manifest["notes"]]
    assert any(text.startswith("magnitude is -9999 for 4 objects") for text in notes)


def test_what_is_said_of_a_list_names_the_run_that_was_asked_for(fmb, skies, rng):
    """Two runs that are the same but for their names share what is kept of their lists."""
    for name in ("base", "twin"):
        fit(fmb, out=name)
        done = score(fmb, "old", base=name, out=f"by-{name}")
        assert f"are in run '{name}' too" in " ".join(done.stderr.split())


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
