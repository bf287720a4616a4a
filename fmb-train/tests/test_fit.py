"""The training loop learns, keeps the best, and says what went wrong."""

import csv

import numpy as np
import pytest
import torch

from fmb import DataError, FailedError, PluginError
from fmb_train.config import TrainConfig
from fmb_train.fit import fit
from fmb_train.schedule import learning_rate


def losses(history, *columns):
    columns = columns or ("train_loss", "validation_loss", "learning_rate")
    return [[row.get(name) for name in columns] for row in history]


class Stopped(Exception):
    """Ends a training from outside."""


def stop_in_epoch(number):
    def progress(what, done, total):
        if what.startswith(f"epoch {number} "):
            raise Stopped

    return progress


def test_a_line_is_found(job_of):
    done = fit(job_of(epochs=60))
    assert done.best_loss < 0.02 * done.history[0]["validation_loss"]
    assert done.history[-1]["train_loss"] < 0.1
    assert [row["epoch"] for row in done.history] == list(range(61))
    assert done.samples == 60 * 48
    assert done.updates == 60 * 6


def test_the_first_update_is_that_of_plain_adamw(job_of, line, numbers):
    """One batch of all objects: the gradient of the mean, clipped, and one AdamW step."""
    job = job_of(epochs=1, batch_size=48, warmup=0, clip=0.5, weight_decay=0.3)
    plain = line().module
    batch = numbers().read(job.training, ["cam", "spec"])
    x, y = (batch.inputs[k].flux.reshape(48, -1)[:, :1] for k in ("cam", "spec"))
    optimiser = torch.optim.AdamW(
        [
            {"params": [p for p in plain.parameters() if p.dim() >= 2], "weight_decay": 0.3},
            {"params": [p for p in plain.parameters() if p.dim() < 2], "weight_decay": 0.0},
        ],
        lr=0.02,
        betas=(0.9, 0.95),
    )
    torch.nn.functional.mse_loss(plain(torch.as_tensor(x)), torch.as_tensor(y)).backward()
    torch.nn.utils.clip_grad_norm_(plain.parameters(), 0.5)
    optimiser.step()
    fit(job)
    for ours, theirs in zip(job.task.module.parameters(), plain.parameters(), strict=True):
        # float32: the sum over 48 objects in another order
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_small_forward_passes_add_up_to_the_same_updates(job_of):
    whole = fit(job_of("whole", batch_size=16))
    cut = fit(job_of("cut", batch_size=16, micro_batch=3))
    # float32 sums of up to 16 terms in another order, over 12 updates
    np.testing.assert_allclose(losses(cut.history[1:]), losses(whole.history[1:]), rtol=1e-4)


def test_batches_kept_in_memory_or_prepared_in_every_epoch_give_the_same_numbers(job_of):
    kept = fit(job_of("kept"))
    anew = fit(job_of("anew", cache_mb=0))
    assert losses(kept.history) == losses(anew.history)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_learns_and_resumes(job_of, precision):
    whole = fit(job_of("whole", precision=precision, steps=90))
    # The scaler of float16 leaves out a few updates until it has found its scale.
    assert whole.best_loss < 0.1 * whole.history[0]["validation_loss"]
    with pytest.raises(Stopped):
        fit(job_of(precision=precision, steps=90), progress=stop_in_epoch(7))
    resumed = fit(job_of(precision=precision, steps=90), resume=True)
    assert losses(resumed.history) == losses(whole.history)


def test_a_small_survey_is_read_once(job_of, numbers):
    survey = numbers()
    fit(job_of(dataset=survey))
    assert survey.reads == len(survey) + 1  # one more tells how much memory they would take
    survey = numbers()
    fit(job_of("anew", dataset=survey, cache_mb=0))
    assert survey.reads == 4 * 48 + 5 * 12 + 1


def test_seeds_give_other_orders_and_the_same_seed_the_same(job_of):
    one, again, other = (
        fit(job_of(name, seed=seed)) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert losses(one.history) == losses(again.history)
    assert losses(one.history) != losses(other.history)


def test_torchs_global_generator_is_left_as_it_was(job_of, line):
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    fit(job_of(task=line(dropout=0.3)))
    assert torch.equal(torch.random.get_rng_state(), before)


def dictated(line, values):
    """A task whose validation losses are `values`, pass by pass; the weights of each are kept."""

    class Dictated(line):
        left, seen, value = iter(values), [], None

        def train(self, mode):
            if not mode:
                self.value = next(self.left)
                self.seen.append(self.module[0].weight.detach().clone())
            super().train(mode)

        def loss(self, inputs):
            loss, parts = super().loss(inputs)
            return (loss if self.module.training else torch.full_like(loss, self.value)), parts

    return Dictated()


def test_the_best_weights_are_kept_and_a_worse_end_is_stopped_early(job_of, line):
    task = dictated(line, [9.0, 5.0, 4.0, 2.0, 3.0, 2.0, 0.0])
    done = fit(job_of(task=task, epochs=30, patience=2))
    assert (done.best_epoch, done.best_loss) == (3, 2.0)
    assert len(done.history) == 6  # the start, three better ones, two that are not
    assert torch.equal(task.module[0].weight, task.seen[3])
    assert not torch.equal(task.module[0].weight, task.seen[5])


def test_without_patience_all_epochs_are_trained(job_of, line):
    done = fit(job_of(task=dictated(line, [9.0, 5.0, *[6.0] * 8]), epochs=9, patience=0))
    assert (done.best_epoch, len(done.history)) == (1, 10)


def test_the_history_file_holds_every_epoch_exactly(job_of):
    job = job_of()
    done = fit(job)
    with (job.folder / "history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [float(r["validation_loss"]) for r in rows] == [
        r["validation_loss"] for r in done.history
    ]
    assert rows[0]["train_loss"] == ""
    assert "validation_square" in rows[0]


def test_steps_stand_in_for_epochs(job_of):
    done = fit(job_of(steps=15))  # 6 updates an epoch
    assert done.updates == 15
    assert [row["updates"] for row in done.history] == [0, 6, 12, 15]
    assert done.history[-1]["learning_rate"] == pytest.approx(0.1 * 0.02)


def test_the_learning_rate_rises_linearly_and_falls_as_half_a_cosine():
    config = TrainConfig(learning_rate=2.0, warmup=0.1, final_learning_rate=0.25)
    rates = [learning_rate(i, 110, config) for i in range(110)]
    assert rates[:3] == pytest.approx([2 / 11, 4 / 11, 6 / 11])
    assert rates[10] == rates[11] == 2.0
    assert rates[60] == pytest.approx((2.0 + 0.5) / 2)  # halfway of 98 updates from 11 on
    assert rates[-1] == pytest.approx(0.5)


def test_objects_with_one_input_train_on_that_one_and_unusable_ones_are_counted(
    job_of, line, numbers
):
    bad = frozenset({1001, 1002, 1005})
    done = fit(job_of(dataset=numbers(lacks_y=1), task=line(unusable=bad)))
    assert done.unusable == {"spectrum: torn": 2}  # 1005 is held out
    assert done.samples == 4 * 48


def test_objects_without_a_required_input_are_left_out(job_of, line):
    bad = frozenset({1001, 1002, 1005})
    done = fit(job_of(task=line(required=("image", "spectrum"), unusable=bad)))
    assert done.samples == 4 * 46


@pytest.mark.parametrize("cache_mb", [0, 100])
def test_a_loss_that_is_not_finite_names_the_object(job_of, numbers, cache_mb):
    job = job_of(dataset=numbers(bad={17: np.nan}), cache_mb=cache_mb)
    with pytest.raises(
        FailedError, match=r"the loss of object 1017 is not finite in epoch 1: .*--exclude"
    ):
        fit(job)
    job = job_of("held-out", dataset=numbers(bad={15: np.nan}))
    with pytest.raises(FailedError, match="object 1015 is not finite in epoch 0"):
        fit(job)


def test_a_learning_rate_that_diverges_is_one_clear_line(job_of):
    with pytest.raises(FailedError, match=r"diverges.*lower train.learning_rate"):
        fit(job_of(learning_rate=1e30, clip=1e30, weight_decay=0))
    with pytest.raises(FailedError, match=r"lower train.learning_rate .now 30"):
        fit(job_of("high", learning_rate=30, weight_decay=0))


def test_a_training_that_never_improves_is_no_result(job_of, line):
    with pytest.raises(FailedError, match="no epoch is better than the starting weights"):
        fit(job_of(task=dictated(line, [1.0, 2.0, 3.0, 1.0, 1.5])))


def test_a_validation_loss_of_ten_times_the_first_ends_the_training(job_of, line):
    with pytest.raises(FailedError, match=r"the validation loss went from 1 to 10\.5"):
        fit(job_of(task=dictated(line, [1.0, 9.5, 10.5, 0.1, 0.1])))


def test_a_slot_that_no_held_out_object_fills_is_refused(job_of, line, numbers):
    everybody = frozenset(range(1000, 1060))
    with pytest.raises(DataError, match=r"usable spectrum \(torn\).*train.slots=\['image'\]"):
        fit(job_of(task=line(unusable=everybody)))
    with pytest.raises(DataError, match=r"usable spectrum \(none was observed\)"):
        fit(job_of("absent", dataset=numbers(lacks_y=60)))


def test_a_task_that_gives_one_loss_for_all_is_told(job_of, line):
    class Mean(line):
        def loss(self, inputs):
            loss, parts = super().loss(inputs)
            return loss.mean(), parts

    with pytest.raises(PluginError, match=r"one loss an object"):
        fit(job_of(task=Mean()))


def test_progress_tells_loss_speed_and_time_left(job_of):
    told = []
    fit(job_of(), progress=lambda *line: told.append(line))
    assert told[0] == ("prepare", 0, 60)
    what, done, total = told[-1]
    assert (done, total) == (6, 6)
    assert what.startswith("epoch 4 of 4: loss ")
    assert "objects/s" in what
    assert what.endswith(" 0:00:00 left at most")
