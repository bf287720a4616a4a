"""What to know of a run is said once, in few lines, and is true of the objects that were taken."""

import json

import numpy as np

from fmb import open_run

WEIGHT = ("simulated", "detector", "fold-shift", "small-survey")
"""Notes on what the numbers of lists are worth."""
RUN = ("--model", "counting", "--weights", "random", "--detector", "gaussian", "--data")


def notes(result):
    assert result.exit_code == 0, result.stderr
    return [line for line in result.stderr.splitlines() if line.startswith("note: ")]


def test_repeats_are_counted_among_the_objects_that_were_taken(fmb, counting, survey, make_survey):
    def repeat(arrays):
        arrays["ra"][1:4], arrays["dec"][1:4] = arrays["ra"][0], arrays["dec"][0]

    make_survey(survey.parent, change=repeat)
    first = notes(fmb("detect", *RUN, survey))[0]
    assert first == (
        "note: 40 objects, 3 repeats of others (one group, or within 1 arcsec), ranked once"
    )
    ids = open_run().objects.sort_values("ra")["object_id"]  # the four are not all among these
    (survey.parent / "some.txt").write_text("\n".join(map(str, ids[-20:])))
    taken = ids[-20:].isin(open_run().objects["object_id"][:4])
    first = notes(fmb("detect", *RUN, survey, "--include", survey.parent / "some.txt"))[0]
    assert ("repeat" in first) == (int(taken.sum()) > 1)
    assert first.startswith("note: 20 objects")


def test_objects_without_vectors_are_counted_in_one_line_a_reason(
    fmb, counting, survey, make_survey
):
    def damage(arrays):
        arrays["image/flux"][[4, 5]] = np.nan

    make_survey(survey.parent, change=damage)
    said = notes(fmb("detect", *RUN, survey))
    without = [line for line in said if "no vector" in line]
    assert without == [
        "note: counting has no vector of some objects: mostly without a value (image 2, joint 2)"
    ]


def test_five_notes_and_what_is_wrong_with_inputs_are_printed_and_the_log_has_all(
    fmb, counting, survey, make_survey
):
    def damage(arrays):
        arrays["image/flux"][4] = np.nan
        arrays["image/flux"][5, :, :20] = 0
        arrays["spectrum/ivar"][6] = -1

    make_survey(survey.parent, change=damage)
    said = notes(fmb("detect", *RUN, survey))
    run = open_run()
    told = run.remarks()
    assert len(told) > 5
    first = next(line for line in told if line.startswith("data quality"))
    head = [*told[:5], *([] if first in told[:5] else [first])]
    assert said == [
        *(f"note: {line}" for line in head),
        f"note: {len(told) - len(head)} more in {run.folder.log}",
    ]
    assert len(set(told)) == len(told)
    log = run.folder.log.read_text()
    assert all(line in log for line in told)


def test_an_input_that_is_filled_is_said_before_what_weighs_on_no_object(
    fmb, counting, survey, make_survey
):
    """Zeros lead lists: their note must not be one of those that the log alone has."""

    def damage(arrays):
        arrays["image/flux"][5, :, :20] = 0

    make_survey(survey.parent, change=damage)
    said = notes(fmb("detect", *RUN, survey))
    told = open_run().remarks()
    (filled,) = [n for n, line in enumerate(told) if "zero-filled" in line]
    weightless = [note.text for note in open_run().notes if note.code not in WEIGHT]
    assert weightless
    assert filled < min(map(told.index, weightless))
    assert f"note: {told[filled]}" in said


def test_many_notes_on_lists_leave_a_line_for_what_is_wrong_with_inputs(
    fmb, counting, survey, make_survey
):
    def damage(arrays):
        arrays["image/flux"][5, :, :20] = 0
        arrays["image/flux"][4], arrays["spectrum/flux"][6] = np.nan, np.nan
        arrays["image/flux"][7] = 1

    make_survey(survey.parent, change=damage)
    said = notes(fmb("detect", *RUN, survey, "--detector", "mismatch"))
    told = open_run().remarks()
    first = next(line for line in told if line.startswith("data quality"))
    assert told.index(first) >= 5
    assert said == [
        *(f"note: {line}" for line in (*told[:5], first)),
        f"note: {len(told) - 6} more in {open_run().folder.log}",
    ]


def test_what_lists_are_worth_is_said_before_what_is_wrong_with_some_objects(
    fmb, counting, survey, make_survey
):
    def damage(arrays):
        arrays["image/flux"][4] = np.nan
        arrays["image/flux"][5, :, :20] = 0
        arrays["spectrum/ivar"][6] = -1

    make_survey(survey.parent, change=damage)
    said = notes(fmb("detect", *RUN, survey, "--detector", "mismatch"))
    assert said[0].startswith("note: 40 objects")
    assert "fewer than 100 fitted pairs" in said[1]  # few correlations are seen: an empty list
    assert any("data quality" in line for line in open_run().remarks()[2:])


def test_validate_foresees_which_objects_a_model_drops_and_why(
    fmb, counting, survey, make_survey, home
):
    def damage(arrays):
        arrays["image/flux"][[4, 5]] = np.nan
        arrays["seen"] = np.arange(40) % 4 > 0

    make_survey(survey.parent, change=damage)
    text = survey.read_text().replace("[inputs.desi]", '[inputs.desi]\npresent = "seen"')
    survey.write_text(text)
    foreseen = fmb(
        "data", "validate", survey, "--model", "counting", "--weights", "random", "--json"
    )
    assert counting.ids() == []  # nothing was encoded
    lost = {}
    for one in json.loads(foreseen.stdout)["findings"]:
        if one["input"].startswith("counting "):
            lost.setdefault((one["input"], one["problem"]), set()).add(one["object_id"])
    fmb("detect", *RUN, survey)
    run = open_run()
    ids = run.objects["object_id"].astype(str).to_numpy()
    for view in ("image", "spectrum", "joint"):
        told = set().union(
            *(who for (where, _), who in lost.items() if where == f"counting {view}")
        )
        assert told == set(ids) - set(ids[run.vectors(view).rows])
    assert len(lost["counting image", "no vector: mostly without a value"]) == 2
    assert len(lost["counting spectrum", "no vector: not observed"]) == 10


def test_positions_that_are_none_on_the_sky_are_told_by_a_run_too(
    fmb, counting, make_survey, tmp_path
):
    def swapped(arrays):
        arrays["ra"], arrays["dec"] = arrays["dec"], arrays["ra"]
        arrays["dec"][3] = 150.0
        arrays["ra"][5] = np.nan

    path = make_survey(tmp_path / "swapped", change=swapped)
    told = " ".join(notes(fmb("detect", *RUN, path)))
    assert "catalog: dec is outside -90 to 90 degrees" in told
    assert "catalog: ra is missing: 1 object" in told
    assert "error:" not in told  # the run ends well
