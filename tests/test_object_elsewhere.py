"""`fmb object` of an object that the run has not: which run has it."""

import numpy as np
import pytest


@pytest.fixture
def runs(fmb, tmp_path):
    """Runs of ids: runs(name=ids, ...), one after the other."""

    def make(**named):
        for name, ids in named.items():
            values = np.random.default_rng(0).normal(size=(len(ids), 3))
            np.savez(tmp_path / "v.npz", object_id=np.array(ids), a=values)
            words = ("--detector", "gaussian", "--no-companions", "--out", name)
            done = fmb("detect", "--embeddings", tmp_path / "v.npz", *words)
            assert done.exit_code == 0, done.stderr

    return make


BIG = 2**62
FIRST, SECOND = [BIG + 2 * n for n in range(30)], [BIG + 2 * n + 1 for n in range(30)]


def test_an_object_of_an_earlier_run_is_told_with_the_run_that_has_it(fmb, runs):
    runs(old=FIRST, between=FIRST, texts=[f"s{n}" for n in range(30)], new=SECOND)
    # Its neighbours in the latest run share its float.
    missed = fmb("object", BIG + 4)
    assert missed.exit_code == 2
    assert missed.stderr.endswith(
        f"run 'new' has no object '{BIG + 4}'; 'between' has it: add --run between\n"
    )
    assert fmb("object", BIG + 4, "--run", "between").exit_code == 0
    assert "'new' has it" in fmb("object", BIG + 5, "--run", "old").stderr
    assert "'texts' has it: add --run texts" in fmb("object", "s7").stderr


def test_an_object_of_no_run_keeps_the_hint_at_what_was_meant(fmb, runs):
    runs(old=FIRST, new=SECOND)
    missed = fmb("object", f"{BIG + 3}0")
    assert (missed.exit_code, missed.stderr.count("\n")) == (2, 1)
    assert f"did you mean '{BIG + 3}'?" in missed.stderr
    assert "--run" not in missed.stderr


def test_a_damaged_run_does_not_keep_another_from_being_found(fmb, runs, home):
    runs(old=FIRST, broken=FIRST, new=SECOND)
    (home / "runs" / "broken" / "objects.parquet").write_bytes(b"none")
    assert "'old' has it" in fmb("object", BIG + 4).stderr


def test_only_the_ids_of_other_runs_are_read(fmb, runs, monkeypatch):
    runs(old=FIRST, new=SECOND)
    from fmb.store import tables

    read, columns = tables.pq.read_table, []

    def noted(path, **options):
        columns.append((path.parent.name, options["columns"]))
        return read(path, **options)

    monkeypatch.setattr(tables.pq, "read_table", noted)
    fmb("object", BIG + 4)
    assert [asked for name, asked in columns if name == "old"] == [["object_id"]]
