"""Lists of pairs through the command line: what is listed, what is left out, what is refused."""

import json
import re

import numpy as np
import pytest

from fmb import open_run

N = 400
SWAPPED, ALONE = [3, 4], 50
"""Two objects with each other's second view; one that is far out in its first view alone."""


@pytest.fixture
def survey(tmp_path):
    """Vectors of two views of the same objects, in `two.npz`."""
    random = np.random.default_rng(0)
    hidden = random.normal(size=(N, 3))
    hidden[SWAPPED] = [[1.5, -1.5, 1.5], [-1.5, 1.5, -1.5]]
    image, spectrum = (hidden + 0.2 * random.normal(size=(N, 3)) for _ in range(2))
    spectrum[SWAPPED] = spectrum[SWAPPED[::-1]]
    image[ALONE] = 40
    views = {"image": image.astype("f4"), "spectrum": spectrum.astype("f4")}
    np.savez(tmp_path / "two.npz", object_id=np.arange(N), **views)
    return views


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


def refused(result, *words):
    assert result.exit_code == 2, result.stderr
    line = result.stderr.strip().splitlines()[-1]
    assert all(word in line for word in words), line


def detect(fmb, *more, file="two.npz"):
    return fmb("detect", "--embeddings", file, "--detector", "mismatch", "--out", "mine", *more)


def test_what_does_not_fit_together_comes_first_and_what_is_strange_alone_can_be_left_out(
    fmb, survey
):
    shown = done(detect(fmb))
    assert re.search("; [1-3] of these 5 strange in one view alone", " ".join(shown.stdout.split()))
    every = done(fmb("top", "mine", "--ids", "-k", "3")).stdout.split()
    assert {int(i) for i in every} == {*SWAPPED, ALONE}
    part = done(fmb("top", "mine", "--only-mismatch", "--json", "-k", "2"))
    (rows,) = json.loads(part.stdout).values()
    assert {int(row["object_id"]) for row in rows} == set(SWAPPED)
    ranks = dict(zip(every, (1.0, 2.0, 3.0), strict=True))
    assert all(row["rank"] == ranks[row["object_id"]] for row in rows)  # ranks stay what they are
    details = open_run("mine").details("mismatch image+spectrum")
    hidden = int((details["strange_views"] > 0).sum())
    assert details["strange_views"][ALONE] == 1
    table = done(fmb("top", "mine", "--only-mismatch"))
    text = " ".join(table.stdout.split())
    assert f"the strangest of {N}; {hidden} not shown, strange in one view alone" in text
    assert "of these" not in text


def test_an_export_and_ids_leave_out_what_is_strange_alone_and_count_it(fmb, survey, tmp_path):
    done(detect(fmb))
    hidden = int((open_run("mine").details("mismatch")["strange_views"] > 0).sum())
    ids = done(fmb("top", "mine", "--ids", "-k", "999", "--only-mismatch"))
    assert len(ids.stdout.split()) == N - hidden
    assert f"{hidden} not shown, strange in one view alone" in ids.stderr
    told = done(fmb("export", "mine", "--only-mismatch", "-o", tmp_path / "mine.csv"))
    assert f"{hidden} not shown, strange in one view alone" in told.stderr
    written = (tmp_path / "mine.csv").read_text().splitlines()
    assert len(written) == 1 + N - hidden
    wide = done(
        fmb("export", "mine", "--only-mismatch", "--wide", "--top", "2", "-o", tmp_path / "w.csv")
    )
    assert wide.exit_code == 0
    rows = (tmp_path / "w.csv").read_text().splitlines()[1:]
    assert {int(row.split(",")[0]) for row in rows} == set(SWAPPED)


def test_lists_of_one_view_are_not_shown_and_alone_they_have_nothing_to_leave_out(
    fmb, survey, tmp_path
):
    done(detect(fmb, "--detector", "gaussian"))
    shown = json.loads(done(fmb("top", "mine", "--only-mismatch", "--json")).stdout)
    assert list(shown) == ["own.as-is.image+spectrum.mismatch"]
    run = open_run("mine")
    told = run.showing(only_mismatch=True).top(3)
    assert told["detector"].unique().tolist() == ["mismatch"]
    drawn = done(fmb("plot", "mine", "--plot", "score-histogram", "--only-mismatch", "--json"))
    assert [path.rpartition("/")[2] for path in json.loads(drawn.stdout)["figures"]] == [
        "own.as-is.image+spectrum.mismatch.score-histogram.png"
    ]
    out = ("-o", tmp_path / "part.csv")
    done(fmb("export", "mine", "--only-mismatch", *out))
    rows = (tmp_path / "part.csv").read_text().splitlines()
    hidden = int((run.details("mismatch")["strange_views"] > 0).sum())
    assert len(rows) == 1 + N - hidden
    one = ("--list", "gaussian image", "--only-mismatch")
    refused(fmb("top", "mine", *one), "has no such list that --only-mismatch shows")
    refused(
        fmb("export", "mine", *one, *out, "--force"),
        "gaussian does not tell what is strange in one view alone",
    )
    done(
        fmb("detect", "--embeddings", "two.npz", "--detector", "gaussian", "--no-companions",
            "--out", "single")
    )  # fmt: skip
    refused(
        fmb("top", "single", "--only-mismatch"),
        "--only-mismatch: no list of run 'single' tells which objects are strange in one view",
    )


def test_one_view_is_no_pair(fmb, survey, tmp_path):
    np.savez(tmp_path / "one.npz", object_id=np.arange(N), image=survey["image"])
    refused(detect(fmb, file="one.npz"), "compares two views of a model; there is only image")


def test_views_of_other_objects_are_no_pairs(fmb, survey, tmp_path):
    image, spectrum = survey["image"].copy(), survey["spectrum"].copy()
    image[: N // 2], spectrum[N // 2 :] = np.nan, np.nan
    np.savez(tmp_path / "apart.npz", object_id=np.arange(N), image=image, spectrum=spectrum)
    refused(detect(fmb, file="apart.npz"), f"none of {N} objects can be ranked")


def test_p_values_of_pairs_are_valid():
    """P(p <= 0.1) over surveys of independent pairs, against a reference of like pairs."""
    from fmb import Pairs, VectorName
    from fmb.crossfit import cross_fit
    from fmb.crossfit.fitted import score_each
    from fmb.scoring.calibration import p_values_by_fold
    from fmb_detectors.mismatch import MismatchDetector
    from fmb_detectors.mismatch_config import MismatchConfig

    names = VectorName("m", "mean", "image"), VectorName("m", "mean", "spectrum")
    low = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        hidden = random.normal(size=(160, 2))
        a, b = (np.asarray(hidden + 0.7 * random.normal(size=(160, 2)), "f4") for _ in range(2))
        whole = Pairs(np.arange(160), a, b, False, names)
        survey, reference = whole.take(np.arange(60)), whole.take(np.arange(60, 160))
        made = cross_fit(
            lambda i: MismatchDetector(MismatchConfig(), seed=i), survey, survey.ids, name="m"
        )
        p = p_values_by_fold(made.scores, made.fold, score_each(made.detectors, reference))
        low += int(p[0] <= 0.1)
    # One pair a survey, so that 200 draws are independent: (1 + 9) / 101 of 200 is 19.8, and a
    # binomial count lies within 11 .. 29 in 97 % of cases.
    assert 11 <= low <= 29


def test_it_comes_along_with_another_detector_and_stays_away_where_there_are_too_few_pairs(
    fmb, survey, tmp_path
):
    command = ("detect", "--embeddings", "two.npz", "--detector", "gaussian", "--out")
    done(fmb(*command, "with"))
    assert [name.detector for name in open_run("with").lists] == [
        "gaussian",
        "gaussian",
        "mismatch",
        "any-view",
    ]
    done(fmb(*command, "without", "--no-companions"))
    assert [name.detector for name in open_run("without").lists] == ["gaussian", "gaussian"]
    image, spectrum = survey["image"].copy(), survey["spectrum"].copy()
    image[: N // 2], spectrum[N // 2 + 3 :] = np.nan, np.nan
    np.savez(tmp_path / "two.npz", object_id=np.arange(N), image=image, spectrum=spectrum)
    told = done(fmb(*command, "few"))
    assert "image x spectrum (as-is), mismatch is left out: " in " ".join(told.stderr.split())
    assert [name.detector for name in open_run("few").lists] == ["gaussian", "gaussian", "any-view"]
    refused(detect(fmb), "3")  # what is asked for is not left out


def test_the_view_alone_names_its_own_list_and_not_the_pair(fmb, survey):
    done(detect(fmb, "--detector", "gaussian"))
    assert open_run("mine").list_called("image").detector == "gaussian"
    assert open_run("mine").list_called("mismatch").view == "image+spectrum"
