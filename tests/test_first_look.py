"""The first screen of a run with fused lists: all lists side by side, and what each found."""

import numpy as np
import pandas as pd
import pytest

from fmb import open_run

N = 400
MEMBERS = ["gaussian image", "gaussian spectrum", "mismatch"]


@pytest.fixture
def detect(fmb, tmp_path):
    """`fmb detect` on two views of N objects, some of them odd: gives the screen and the run."""

    def run(ids, *more):
        rng = np.random.default_rng(1)
        image = rng.normal(size=(N, 6)).astype(np.float32)
        spectrum = (image + 0.3 * rng.normal(size=(N, 6))).astype(np.float32)
        image[0] += 9
        spectrum[:2] = spectrum[:2][::-1]
        spectrum[-1] = np.nan
        np.savez(tmp_path / "v.npz", object_id=ids, image=image, spectrum=spectrum)
        words = ("--detector", "gaussian", "--detector", "mismatch", "--fusion", "any-view")
        result = fmb("detect", "--embeddings", "v.npz", *words, *more, "--out", "r")
        assert result.exit_code == 0, result.stderr
        return result.stdout, open_run("r")

    return run


def table_under(screen, heading):
    """The rows under the line that begins with `heading`, cell by cell."""
    lines = screen.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(heading))
    return [line.split() for line in lines[at:][1:6]]


def test_the_strangest_in_any_view_stand_with_their_ranks_in_each_list(detect):
    screen, run = detect(np.arange(N) + 10**18)
    lead = run.top(5, list="any-view")["object_id"]
    place = pd.Index(run.objects["object_id"]).get_indexer(lead)
    assert [row[1] for row in table_under(screen, "rank  object")] == lead.astype(str).tolist()
    for column, words in enumerate(MEMBERS):
        ranks = run.scores(words)["rank"].iloc[place]
        told = [row[2 + column] for row in table_under(screen, "rank  object")]
        assert told == ["-" if np.isnan(rank) else f"{rank:.12g}" for rank in ranks]


def test_the_strangest_of_each_list_stand_side_by_side(detect):
    screen, run = detect(np.arange(N) + 10**18)
    assert "rank  image                spectrum             mismatch" in screen
    rows = table_under(screen, "rank  image")
    for column, words in enumerate(MEMBERS):
        ids = run.top(5, list=words)["object_id"].astype(str).tolist()
        assert [row[1 + column] for row in rows] == ids
    assert "mismatch = own image x spectrum" in screen


def test_lists_that_do_not_fit_a_screen_side_by_side_stand_below_each_other(detect):
    ids = np.array([f"WISEA-J004903.78+152042.1-{i:04d}" for i in range(N)])
    screen, run = detect(ids)
    assert max(map(len, screen.splitlines())) <= 80
    for words in MEMBERS:
        assert all(one in screen for one in run.top(5, list=words)["object_id"])


def test_a_list_that_is_no_part_of_a_fusion_is_named(detect):
    more = ("--detector", "wide=gaussian", "--set", 'detector.any-view.of=["gaussian","mismatch"]')
    screen, _ = detect(np.arange(N), *more)
    assert 'other lists: "wide image", "wide spectrum"; fmb top r --list WORDS' in screen


def test_lists_for_which_there_is_no_room_beside_the_leading_one_are_named(detect):
    more = ("--detector", "a-detector-of-a-long-name=gaussian", "--detector", "another=gaussian")
    screen, _ = detect(np.arange(N) + 10**18, *more)
    rest = " ".join(screen.partition("\nand ")[2].split())
    assert "mismatch" in rest.partition(": fmb object ID --run r")[0]


def test_on_a_simulated_survey_it_says_what_each_list_found_beside_chance(fmb):
    words = ("--model", "astropt", "--detector", "gaussian", "--detector", "mismatch")
    more = ("--fusion", "any-view", "--limit", "300", "--plot", "score-histogram", "--out", "r")
    result = fmb("run", *words, *more)
    assert result.exit_code == 0, result.stderr
    run = open_run("r")
    heading, *lines = result.stdout.partition("planted objects")[2].split("\n\n")[0].split("\n")
    found = {}
    for words in (*MEMBERS, "any-view"):
        labels = run.ranked(words)["label"]
        found[words.replace("gaussian ", "")] = (labels.head(20) != "ordinary").sum()
    shares = [(run.ranked(words)["label"] != "ordinary").mean() for words in (*MEMBERS, "any-view")]
    assert heading.endswith(f"(chance {20 * max(shares):.1f}):")
    told = {line.split()[0]: int(line.split()[1]) for line in lines if line.strip()}
    assert told == found
    assert list(told.values()) == sorted(told.values(), reverse=True)


def test_nothing_is_said_to_be_found_where_nobody_planted_anything(detect):
    screen, _ = detect(np.arange(N))
    assert "planted" not in screen
