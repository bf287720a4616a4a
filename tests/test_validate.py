"""`fmb data validate`: what a survey comes to, and what models would make of it, before any run."""

import json

import numpy as np


def partly(make_survey, folder):
    """40 objects: 10 without spectra, a sentinel, a repeat, and a zero-filled image of 40."""

    def change(arrays):
        arrays["seen"] = np.arange(40) % 4 > 0
        arrays["mag"][7] = -99.0
        arrays["ra"][1], arrays["dec"][1] = arrays["ra"][0], arrays["dec"][0]
        arrays["image/flux"][5] = 0.0

    path = make_survey(folder, change=change)
    text = path.read_text().replace("[inputs.desi]", '[inputs.desi]\npresent = "seen"')
    path.write_text(text)
    return path


def test_a_survey_is_accounted_for(fmb, make_survey, tmp_path):
    done = fmb("data", "validate", partly(make_survey, tmp_path / "tiny"), "--json")
    told = json.loads(done.stdout)
    euclid, desi = told["inputs"]
    assert (euclid["objects"], desi["objects"]) == (40, 30)
    assert euclid["unit"] == "uJy"
    assert euclid["zero"] == 1 / 40
    assert desi["masked"] == 0
    assert told["coverage"] == [
        {"inputs": ["euclid", "desi"], "objects": 30},
        {"inputs": ["euclid"], "objects": 10},
    ]
    assert told["repeats"] == {"objects": 2, "sources": 1}
    assert told["odd_values"] == [{"column": "mag", "value": -99.0, "objects": 1}]
    assert 0 < told["sky"]["ra"][0] < told["sky"]["ra"][1] < 10
    assert [f["problem"] for f in told["findings"]] == ["the same value everywhere"]
    assert done.exit_code == 1


def test_what_each_model_makes_of_it_is_what_a_run_makes_of_it(fmb, make_survey, tmp_path):
    survey = partly(make_survey, tmp_path / "tiny")
    rows = json.loads(fmb("data", "validate", survey, "--json").stdout)["models"]
    by_name = {(row["model"], row["weights"]): row for row in rows}
    for (model, weights), row in by_name.items():
        if weights in ("base", "large", "xlarge", "pretrained"):
            continue  # not here: there is nothing to plan with
        words = ("--model", model, "--weights", weights, "--data", survey)
        planned = fmb("embed", *words, "--dry-run")
        assert (planned.exit_code == 0) is not bool(row["refused"]), (row, planned.stderr)
    drawn = by_name["astropt", "random"]
    assert drawn["feeds"] == {"image": "euclid", "spectrum": "desi"}
    assert drawn["views"] == {"image": 40, "spectrum": 30, "joint": 30}
    refused = by_name["aion", "random"]["refused"] or by_name["aion", "random"]["told"]
    assert "VIS" in refused


def test_weights_are_judged_by_what_their_own_card_says(fmb, make_survey, tmp_path):
    def one_band(arrays):
        arrays["image/flux"] = arrays["image/flux"][:, :1]

    survey = make_survey(tmp_path / "tiny", change=one_band)
    survey.write_text(survey.read_text().replace(', "NISP-Y", "NISP-J", "NISP-H"', ""))
    rows = json.loads(fmb("data", "validate", survey, "--json").stdout)["models"]
    feeds = {row["weights"]: row["feeds"] for row in rows if row["model"] == "astropt"}
    assert feeds["tiny-one-band"] == {"image": "euclid"}
    assert feeds["tiny"] == {"spectrum": "desi"}


def test_the_screen_says_it_in_lines_that_fit(fmb, make_survey, tmp_path):
    survey = partly(make_survey, tmp_path / "tiny")
    told = fmb("data", "validate", survey).stdout
    assert max(map(len, told.splitlines())) <= 80
    words = " ".join(told.split())
    assert "coverage: euclid + desi 30; euclid 10" in words
    assert "repeats: 2 rows are of 1 source, by group, host or place (1 arcsec)" in words
    assert "mag is -99 for 1 object, far from all others" in words
    assert "takes image from euclid, spectrum from desi" in words
    assert told.splitlines()[-1] == "40 objects read, 1 with findings"


def test_with_a_model_named_only_that_one_is_looked_at(fmb, survey):
    words = ("--model", "astropt", "--weights", "random", "--json")
    told = json.loads(fmb("data", "validate", survey, *words).stdout)
    assert told["models"] == []
