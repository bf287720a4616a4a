"""A package is upgraded: its vectors are compared with a few made anew, once, and kept if equal."""

import json

import h5py
import pytest

N = 40
EMBED = (
    "embed",
    "--model",
    "counting",
    "--weights",
    "random",
    "--view",
    "image",
    "--batch-size",
    1,
)


@pytest.fixture
def embed(fmb, counting, survey):
    """Embed the survey: gives how many objects were encoded, how many vectors are new, warnings."""

    def run(*more):
        result = fmb(*EMBED, "--data", survey, "--json", *more)
        assert result.exit_code == 0, result.stderr
        (row,) = json.loads(result.stdout)
        return len(counting.ids()), row["computed"], result.stderr

    return run


def test_a_patch_version_encodes_eight_objects_once(embed, counting):
    assert embed()[:2] == (N, N)
    counting("1.0.1")
    encoded, computed, said = embed()
    assert (encoded, computed) == (8, 0)
    assert "revision" not in said
    assert embed()[:2] == (0, 0)


def test_numbers_that_change_without_a_revision_are_told_and_computed_anew(
    embed, counting, monkeypatch
):
    embed()
    counting("1.1")
    monkeypatch.setenv("COUNTING_SHIFT", "0.5")
    encoded, computed, said = embed()
    assert (encoded, computed) == (8 + N, N)
    assert "counting image (mean): fmb-core" in said
    assert "fmb-counting 1.1 give other vectors than" in said
    assert "computed anew; its author should raise `revision`" in said
    assert embed()[:2] == (0, 0)


def test_a_selection_compares_only_what_it_holds(embed, counting):
    embed("--limit", 5)
    counting("1.0.1")
    assert embed("--limit", 5)[0] == 5


def test_lists_of_another_version_s_vectors_are_made_anew(fmb, survey, counting, monkeypatch, home):
    command = [
        "detect", "--model", "counting", "--weights", "random", "--view", "image",
        "--detector", "gaussian", "--data", survey,
    ]  # fmt: skip
    assert fmb(*command, "--out", "old").exit_code == 0
    counting("1.1")
    monkeypatch.setenv("COUNTING_SHIFT", "0.5")
    assert fmb(*command, "--out", "new").exit_code == 0
    old, new = (
        json.loads((home / "runs" / name / "manifest.json").read_text())["lists"][0]["key"]
        for name in ("old", "new")
    )
    assert old != new
    # The old run still reads the vectors that it was made from.
    from fmb import open_run

    difference = open_run("new").vectors("image").values - open_run("old").vectors("image").values
    assert difference == pytest.approx(0.5, abs=1e-5)


def test_verify_reads_everything_and_encodes_eight_objects_again(embed, survey):
    embed()
    encoded, computed, _ = embed("--verify")
    assert (encoded, computed) == (8, 0)
    # A change that the file's size and time do not tell is seen.
    with h5py.File(survey.parent / "tiny.h5", "r+") as file:
        file["image/flux"][7, 0, 3, 3] += 1
    assert embed("--verify")[:2] == (9, 1)


def test_verify_refuses_vectors_that_are_not_what_is_encoded_now(
    embed, fmb, survey, monkeypatch, counting
):
    embed()
    monkeypatch.setenv("COUNTING_SHIFT", "0.5")
    result = fmb(*EMBED, "--data", survey, "--verify")
    assert result.exit_code == 1
    assert "8 objects encoded again differ by" in result.stderr
    assert "`fmb cache remove`" in result.stderr
