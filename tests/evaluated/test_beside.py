"""What cannot be measured, and what lists are measured beside."""

import pytest
from known_objects import results


def test_few_objects_of_a_kind_are_quoted_with_a_warning(run):
    told = run("evaluate", "plain", "--truth", "kind=odd")
    assert "note: fewer than 50 objects of a kind say little: odd 30" in told.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plain"], "run 'plain' has no planted copies: give --truth COLUMN=VALUE"),
        (["plain", "--truth", "copies"], "no injected_from names a host"),
        (["planted", "--truth", "copies=fa"], "no copy is a 'fa'; did you mean 'far'?"),
        (["plain", "--truth", "kind=od"], "has kind = 'od'; did you mean 'odd'?"),
        (["plain", "--truth", "knd"], "no column or file 'knd'; did you mean 'kind'?"),
        (["plain", "--truth", "depth"], "has 300 values, which are no classes"),
        (["plain", "--truth", "labels:lens"], "is labelled 'lens'; `fmb label RUN CLASS ID`"),
        (["plain", "--truth", "gone.txt"], "gone.txt"),
        (["plain", "--truth", "other.txt"], "none of its 2 ids is of an object of run 'plain'"),
        (["plain", "--truth", "head.csv"], "head.csv: holds no ids; write one a line"),
        (["plain", "--truth", "nowhere.csv"], "none of its 1 rows has a position in degrees"),
        (["planted", "--looks", "301"], "ranks 300 objects; choose at most these"),
        (["planted", "--list", "flow"], "has no list 'flow'"),
        (["planted", "--view", "v"], "'far' was declared for 'v' before; choose lists by --list"),
        (["plain", "--truth", "kind", "--view", "w"], "no list has this view; choose from v"),
        (["plain", "--truth", "kind", "--less", "gausian"], "did you mean 'gaussian'?"),
        (["plain", "--truth", "kind", "--less", "gaussian"], "has what it judges"),
    ],
)
def test_what_cannot_be_measured_is_one_line(run, tmp_path, words, said):
    (tmp_path / "other.txt").write_text("70001\n70002\n")
    (tmp_path / "head.csv").write_text("object_id,class\n")
    (tmp_path / "nowhere.csv").write_text("ra,dec\nunknown,5\n")
    result = run("evaluate", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not result.stdout


def test_lists_are_compared_with_those_of_another_detector(fmb, run):
    two = ["--detector", "one=gaussian", "--detector", "two=flow", "--no-companions"]
    made = fmb("detect", "--embeddings", "planted.npz", *two, "--out", "both")
    assert made.exit_code == 0, made.stderr
    found = results(fmb, "both", "--less", "one", "--looks", "10")
    (less,) = [r for r in found if r["metric"] == "auroc_less" and r["kind"] == "far"]
    of = {
        r["detector"]: r["value"]
        for r in found
        if r["metric"] == "auroc" and r["kind"] == "far" and r["conditions"]["strength"] is None
    }
    assert less["value"] == pytest.approx(of["two"] - of["one"])
    assert (less["detector"], less["conditions"]["less"]["detector"]) == ("two", "one")
    assert "AUROC less one" in fmb("evaluate", "both", "--less", "one", "--looks", "10").stdout


def test_floors_are_made_once_and_stand_beside_the_models(fmb, tmp_path, monkeypatch, home):
    """On the simulated survey: random weights, components and the catalogue see the same copies."""
    monkeypatch.chdir(tmp_path)
    survey = ["data.n_objects=280", "data.n_per_kind=6", 'data.kinds=["trail","wrong-redshift"]']
    inputs = 'data.inputs=["euclid"]'
    asked = ["--data", "demo-eval", *(w for s in (*survey, inputs) for w in ("--set", s))]
    model = ["--model", "astropt", "--view", "image", "--detector", "gaussian", "--no-companions"]
    assert fmb("detect", *asked, *model, "--out", "mine").exit_code == 0
    found = results(fmb, "mine", "--floors", "--looks", "20")
    assert {r["floor"] for r in found} == {"", "random", "pca-100", "catalogue"}
    assert len({r["survey_digest"] for r in found}) == 1
    of_trail = [
        r
        for r in found
        if r["metric"] == "auroc" and r["kind"] == "trail" and r["conditions"]["strength"] is None
    ]
    assert [r["n_positive"] for r in of_trail] == [18] * 4
    shifts = {
        r["floor"]: r["value"]
        for r in found
        if r["metric"] == "shift" and r["kind"] == "wrong-redshift"
    }
    assert {shifts[floor] for floor in ("", "random", "pca-100")} == {0}
    assert shifts["catalogue"] > 0.02
    runs = sorted(path.name for path in (home / "runs").iterdir())
    shown = fmb("evaluate", "mine", "--floors", "--looks", "20")
    assert "note: 0 of" in shown.stderr
    assert runs == sorted(path.name for path in (home / "runs").iterdir())
    assert max(map(len, shown.stdout.splitlines())) <= 80
    for floor in ("random", "pca-100", "catalogue"):
        assert f" {floor} gaussian" in shown.stdout


def test_vectors_of_ones_own_have_no_floors(run):
    told = run("evaluate", "planted", "--floors", "--looks", "10")
    assert told.exit_code == 2
    assert told.stderr.splitlines()[-1].endswith("has vectors only; floors need what was observed")
