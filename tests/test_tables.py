"""Tables of `fmb top` and `fmb object`: 80 columns, exact values, what is left out said."""

import json

import numpy as np
import pandas as pd
import pytest

from fmb import open_run

N, ASIDE = 200, 80
FAR = 5
"""The strangest object."""


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


def table_lines(text, head):
    """The lines of the table whose heading starts with `head`."""
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(head))
    end = next((i for i in range(at, len(lines)) if not lines[i]), len(lines))
    return lines[at:end]


@pytest.fixture
def detect(fmb, tmp_path):
    """A run of objects with given ids and a catalogue: detect(ids, *options, **columns)."""

    def run(ids, *options, **columns):
        rng = np.random.default_rng(0)
        values = rng.normal(size=(N, 4)).astype(np.float32)
        values[FAR, 0] += 90
        np.savez(tmp_path / "v.npz", object_id=ids, image=values, spectrum=values[:, ::-1])
        aside = (np.arange(N) >= N - ASIDE).astype(int)
        table = pd.DataFrame({"object_id": ids, "aside": aside, **columns})
        table.to_csv(tmp_path / "c.csv", index=False)
        command = ["detect", "--embeddings", "v.npz", "--catalog", "c.csv", "--out", "mine"]
        done(fmb(*command, "--detector", "a-long-name-of-mine=gaussian", *options))
        return open_run("mine")

    return run


LONG = np.array([f"WISEA-J004903.78+152042.1-{i:014d}" for i in range(N)])


def test_a_table_with_everything_fits_and_says_what_it_leaves_out(detect, fmb):
    run = detect(
        LONG, "--reference", "aside == 1",
        redshift=np.linspace(0, 1, N), label=["tidal tail of a merging galaxy"] * N,
    )  # fmt: skip
    run.label(LONG[FAR], "gravitational-lens")
    listed = done(fmb("top", "mine", "-k", 3))
    rows = table_lines(listed.stdout, "rank ")
    assert max(map(len, rows)) <= 80
    assert rows[1].split()[:3] == ["1", LONG[FAR], "gravitational-lens"]
    assert (
        "more columns (score, p, q, redshift, label): fmb top mine --json, fmb export mine"
        in listed.stderr
    )
    shown = done(fmb("object", LONG[FAR], "--run", "mine"))
    assert max(map(len, table_lines(shown.stdout, "list "))) <= 80


def test_an_id_is_never_cut(detect, fmb):
    ids = np.array([f"{i:090d}" for i in range(N)])
    detect(ids)
    assert table_lines(done(fmb("top", "mine", "-k", 1)).stdout, "rank ")[1].split()[1] == ids[FAR]


def test_a_table_that_fits_leaves_out_nothing(detect, fmb):
    detect(np.arange(N), "--reference", "aside == 1", redshift=np.linspace(0, 1, N))
    listed = done(fmb("top", "mine", "-k", 3))
    assert "more columns" not in listed.stderr
    heads = table_lines(listed.stdout, "rank ")[0].split()
    assert heads == ["rank", "object", "place", "score", "p", "q", "redshift"]


@pytest.mark.parametrize(("options", "said"), [((), True), (("--fit", "in-sample"), False)])
def test_where_folds_have_references_of_their_own_it_says_so(detect, fmb, options, said):
    run = detect(np.arange(N), "--reference", "aside == 1", *options)
    p = run.ranked(run.lists[0])["p_value"].to_numpy(float)
    assert (np.diff(p) < 0).any() == said
    for command in (("top", "mine"), ("object", FAR, "--run", "mine")):
        assert ("p need not grow with rank" in done(fmb(*command)).stderr) == said


def test_without_a_reference_nothing_is_said_of_p(detect, fmb):
    detect(np.arange(N))
    assert done(fmb("top", "mine")).stderr == ""
    assert done(fmb("object", FAR, "--run", "mine")).stderr == ""


def test_json_has_numbers_as_numbers_and_integers_exact(detect, fmb):
    big = 2**62 + np.arange(N)
    detect(big, plate=big + 1, flag=np.arange(N) % 2 == 1, snr=np.linspace(0, 1, N))
    (row, *_), *_ = json.loads(done(fmb("top", "mine", "--json")).stdout).values()
    assert row["object_id"] == str(2**62 + FAR)
    assert (row["plate"], row["flag"], row["rank"]) == (2**62 + FAR + 1, True, 1)
    assert isinstance(row["score"], float)
    assert (row["p_value"], row["class"]) == (None, "")
    told = json.loads(done(fmb("object", 2**62 + FAR, "--run", "mine", "--json")).stdout)
    assert told["object_id"] == str(2**62 + FAR)
    assert (told["catalog"]["plate"], told["catalog"]["flag"]) == (2**62 + FAR + 1, True)
    assert told["label"] is None
    (place, *_) = told["lists"]
    assert (place["rank"], place["ranked"], place["why"], place["p_value"]) == (1, N, "", None)
    assert f"plate = {2**62 + FAR + 1}" in done(fmb("object", 2**62 + FAR)).stdout


def test_integers_between_floats_are_exact(detect, fmb):
    detect(np.arange(N), plate=2**62 + np.arange(N), snr=np.linspace(0, 1, N))
    told = json.loads(done(fmb("object", FAR, "--run", "mine", "--json")).stdout)
    assert told["catalog"]["plate"] == 2**62 + FAR


def test_an_object_says_why_it_is_not_ranked(detect, fmb):
    group = ["same" if i in (7, 8) else "" for i in range(N)]
    run = detect(np.arange(N), "--reference", "aside == 1", "--no-companions", group=group)
    shown = " ".join(done(fmb("object", N - 1, "--run", "mine")).stdout.split())
    assert shown.count("not ranked, it is of the reference, aside == 1") == 2
    scores = run.scores(run.lists[0])
    (ranked,) = [i for i in (7, 8) if not scores["is_repeat"][i]]
    (repeat,) = {7, 8} - {ranked}
    told = " ".join(done(fmb("object", repeat, "--run", "mine")).stdout.split())
    assert f"a repeat of {ranked}, which is ranked for both" in told
    assert "repeat" not in done(fmb("object", ranked, "--run", "mine")).stdout


def test_an_object_that_was_not_observed_says_so(fmb, tmp_path, make_survey):
    def blind(arrays):
        arrays["image/flux"][4] = np.nan

    survey = make_survey(tmp_path / "tiny", change=blind)
    command = ["run", "--model", "astropt", "--weights", "random", "--detector", "gaussian"]
    done(fmb(*command, "--data", survey, "--out", "mine", "--view", "image", "--view", "spectrum"))
    told = done(fmb("object", 4 * 7919 - 50_000, "--run", "mine")).stdout
    assert "astropt image (mean), gaussian: not ranked, it has no image vector" in told
    assert "astropt image x spectrum (mean), mismatch: not ranked, it has no image" in told
    assert told.count("not ranked,") == 2
