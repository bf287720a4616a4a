"""A task judges what is held out, and what it has settled is kept."""

import numpy as np
import pytest
import torch

from fmb import DataError, Inputs
from fmb_train.fit import fit


def losses(history, *columns):
    columns = columns or ("train_loss", "validation_loss", "learning_rate")
    return [[row.get(name) for name in columns] for row in history]


@pytest.fixture
def judging(line):
    """A line that is judged by the mean of its answers beside that of the catalogue's."""

    class JudgingLine(line):
        def vectors(self, inputs):
            return {"y": torch.as_tensor(inputs.arrays["y"])}

        def judge(self, objects, vectors):
            assert list(objects["object_id"]) == sorted(objects["object_id"])
            return {"objects": len(objects), "off": abs(vectors["y"][:, 0] - objects["y"]).max()}

    return JudgingLine


@pytest.mark.parametrize("settings", [{"batch_size": 5}, {"micro_batch": 2}, {"cache_mb": 0}])
def test_a_task_judges_all_held_out_objects_with_their_catalogue_rows(
    job_of, judging, numbers, settings
):
    """12 of 60 objects are held out; of ids 1000 and 1005 one lacks y and one has it torn."""
    survey = numbers(lacks_y=1)
    survey.catalog["y"] = survey.y
    task = judging(required=("image", "spectrum"), unusable=frozenset({1005}))
    done = fit(job_of(task=task, dataset=survey, **settings))
    assert [row["held_out_objects"] for row in done.history] == [10] * 5
    assert [row["held_out_off"] for row in done.history] == [0] * 5


def test_judging_changes_nothing_of_the_training(job_of, judging, numbers):
    survey = numbers()
    survey.catalog["y"] = survey.y
    plain = fit(job_of("plain", dataset=survey)).history
    judged = fit(job_of("judged", dataset=survey, task=judging())).history
    assert losses(plain) == losses(judged)


def test_held_out_objects_of_which_none_has_both_are_one_clear_line(job_of, line, numbers):
    survey = numbers(lacks_y=30)
    survey.has["cam"][30:] = False
    job = job_of(task=line(required=("image", "spectrum")), dataset=survey)
    with pytest.raises(DataError, match="for validation has a usable image and spectrum"):
        fit(job)


def test_what_a_task_has_settled_is_kept_in_place_of_the_inputs_where_it_fits(job_of, line):
    """x and y of 60 objects take 480 bytes; settled ones with a filler a hundred times that."""

    class Settling(line):
        filler = 0

        def settled(self, inputs):
            n = len(inputs.valid["image"])
            arrays = {**inputs.arrays, "filler": np.zeros((n, self.filler), np.float32)}
            return Inputs(arrays=arrays, valid=inputs.valid, reasons=inputs.reasons)

        def loss(self, inputs):
            seen.add("filler" in inputs.arrays)
            return super().loss(inputs)

    found = []
    for filler, kept in ((1, True), (10**6, False)):
        seen = set()
        task = Settling(required=("image", "spectrum"))
        task.filler = filler
        found.append(losses(fit(job_of(f"with-{filler}", task=task, cache_mb=1)).history))
        assert seen == {kept}
    assert found[0] == found[1] == losses(fit(job_of("plain")).history)
