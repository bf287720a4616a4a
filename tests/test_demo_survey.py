"""The simulated survey through the command line: pixels are made for what asks for them."""

import json
import shutil

import numpy as np
import pytest

from fmb import open_run
from fmb_surveys.demo import cached
from fmb_surveys.demo.survey import DemoSurvey

SMALL = ("--set", "data.n_objects=60")
RUN = ("run", "--model", "astropt", "--detector", "gaussian", "--plot", "score-histogram", *SMALL)
EMBED = ("embed", "--model", "astropt", *SMALL)


def made(home):
    """The instruments that were made."""
    return sorted(path.parent.name for path in (home / "data").rglob("*.h5"))


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (("--view", "imagee"), "imagee"),
        (("--weights", "tinny"), "tinny"),
        (("--embedder", "meann"), "meann"),
        (("--detector", "gausian"), "did you mean 'gaussian'"),
        (("--input", "image=euclit"), "euclit"),
        (("--set", "detector.gaussian.colour=red"), "colour"),
        (("--where", "mag_viss < 20"), "did you mean 'mag_vis'"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_mistake_is_told_before_a_pixel_is_made(fmb, home, mistake, told):
    refused = fmb(*RUN, *mistake)
    assert refused.exit_code == 2
    assert told in refused.stderr
    assert not (home / "data").exists()


def test_a_run_makes_what_its_model_reads_and_says_so_first(fmb, home):
    done = fmb(*RUN)
    assert done.exit_code == 0, done.stderr
    assert made(home) == ["desi", "euclid"]
    lines = [line for line in done.stderr.splitlines() if "simulating" in line]
    (folder,) = (home / "data").iterdir()
    (line,) = lines
    assert line.startswith("INFO: simulating 60 objects, euclid and desi, about 16 MB, into ")
    assert line.endswith(str(folder))
    (listed,) = (run := open_run("demo-astropt-gaussian")).lists[:1]
    # The strangest are kept as all instruments saw them, made or not.
    assert set(run.cutouts(listed, 5).inputs) == {"euclid", "desi", "phot"}
    again = fmb(*RUN)
    assert "simulating" not in again.stderr


def test_quiet_says_nothing_of_it(fmb, home):
    done = fmb("-q", *EMBED)
    assert done.exit_code == 0
    assert "simulating" not in done.stderr
    assert made(home) == ["desi", "euclid"]


def test_vectors_that_are_there_need_no_pixels(fmb, home):
    assert fmb(*EMBED).exit_code == 0
    shutil.rmtree(home / "data")
    done = fmb(*RUN)
    assert done.exit_code == 0, done.stderr
    assert made(home) == []


def test_some_objects_of_a_survey_are_simulated_and_not_kept_and_have_the_same_vectors(fmb, home):
    few = fmb(*RUN, "--limit", "25", "--out", "few")
    assert few.exit_code == 0, few.stderr
    assert made(home) == []
    assert fmb(*RUN, "--out", "all").exit_code == 0
    assert made(home) == ["desi", "euclid"]
    vectors = {}
    for name in ("few", "all"):
        one = open_run(name)
        view = one.vectors(one.vector_names[0])
        ids = one.objects["object_id"].to_numpy()[view.rows]
        vectors[name] = dict(zip(ids.tolist(), np.array(view.values), strict=True))
    assert len(vectors["few"]) >= 20
    scale = np.std(list(vectors["all"].values()))
    for key, vector in vectors["few"].items():
        # float32 sums in batches of another size differ by 1e-5 of scale
        assert np.abs(vector - vectors["all"][key]).max() < 1e-4 * scale


def test_planning_and_showing_make_nothing_and_validating_makes_all(fmb, home, monkeypatch):
    assert fmb(*RUN, "--dry-run").exit_code == 0
    shown = fmb("data", "show", "demo", "--json")
    assert [one["input"] for one in json.loads(shown.stdout)["inputs"]] == [
        "euclid",
        "legacysurvey",
        "desi",
        "phot",
    ]
    assert made(home) == []
    monkeypatch.setattr(cached, "DemoSurvey", lambda n, *rest: DemoSurvey(40, *rest))
    checked = fmb("data", "validate", "demo")
    assert "simulating 40 objects, euclid and legacysurvey and desi, " in checked.stderr
    assert "40 objects read" in checked.stdout
    assert made(home) == ["desi", "euclid", "legacysurvey"]


def test_instruments_that_are_left_out_are_not_there(fmb, home):
    done = fmb(*EMBED, "--set", "data.inputs=['desi']", "--json")
    assert done.exit_code == 0, done.stderr
    assert {row["view"] for row in json.loads(done.stdout)} == {"spectrum"}
    assert made(home) == ["desi"]


def test_training_makes_what_it_learns_from(fmb, home):
    done = fmb(
        "retrain", "astropt", "--data", "demo", *SMALL, "--weights", "random", "--batch-size", "8",
        "--set", "model.astropt.preset=tiny", "--set", "data.planting=none", "--set",
        "train.slots=['spectrum']", "--set", "train.epochs=1", "--out", "weights",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert made(home) == ["desi"]
