"""What is made of the demo survey: the instruments asked for, once, each whole or not at all."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

from fmb import DataError, FailedError
from fmb_surveys.demo import DemoConfig, open_demo
from fmb_surveys.demo.cached import build_demo, demo_folder

CONFIG = DemoConfig(n_objects=70, kinds=("trail", "agn", "swap-easy"), prevalence=0.1)
ONE = DemoConfig(n_objects=3, inputs=("desi",), planting="none")
DAY = 86_400


def say_nothing(done, total):
    pass


def open_in(cache, config=CONFIG):
    return open_demo("demo", config, cache=cache)


def kept_in(cache, config=CONFIG):
    """The instruments that are there, by the names of their folders."""
    folder = demo_folder(config, cache)
    names = [path.name for path in folder.iterdir()] if folder.exists() else []
    return sorted(name for name in names if not name.startswith("catalogue-"))


def same(a, b):
    """True when two containers hold the same arrays, to the last bit, and say the same of them."""
    return all(
        np.array_equal(value, getattr(b, name)) and value.dtype == getattr(b, name).dtype
        if isinstance(value, np.ndarray)
        else value == getattr(b, name)
        for name, value in vars(a).items()
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    open_in(cache).make(["euclid", "desi"], say_nothing)
    return cache


def test_only_the_instruments_asked_for_are_made(cache):
    assert kept_in(cache) == ["desi", "euclid"]


def test_a_survey_that_is_there_is_read_without_what_shares_out_a_simulation(cache):
    code = (
        "import sys; from pathlib import Path; from fmb_surveys.demo import DemoConfig, open_demo;"
        f"config = DemoConfig.model_validate_json({CONFIG.model_dump_json()!r});"
        f"batch = open_demo('demo', config, cache=Path({str(cache)!r})).read([3]);"
        "assert len(batch) == 1; assert 'joblib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_kept_is_to_the_bit_what_was_simulated(cache):
    rows = np.array([7, 0, 33, 69])
    stored, fresh = open_in(cache).read(rows), build_demo(CONFIG).read(rows)
    assert list(stored.inputs) == ["euclid", "legacysurvey", "desi", "phot"]
    assert np.array_equal(stored.ids, fresh.ids)
    for name, data in fresh.inputs.items():
        assert np.array_equal(stored.rows[name], fresh.rows[name])
        assert same(data, stored.inputs[name])


def test_kept_instruments_are_read_and_not_simulated(cache, monkeypatch):
    survey = pickle.loads(pickle.dumps(open_in(cache)))
    monkeypatch.setattr("fmb_surveys.demo.survey.render", None)  # calling it fails
    batch = survey.read(np.arange(70), ["euclid", "desi"])
    assert len(batch.inputs["euclid"]) == survey.inputs["euclid"].present.sum()
    with pytest.raises(TypeError):
        survey.read(np.arange(1), ["legacysurvey"])


def test_what_is_planted_does_not_depend_on_which_instruments_are_made(cache, tmp_path):
    alone = open_in(tmp_path)
    alone.make(["desi"], say_nothing)
    planted = np.flatnonzero(alone.catalog["label"] != "ordinary")
    assert len(planted) >= 6
    ours, theirs = alone.read(planted, ["desi"]), open_in(cache).read(planted, ["desi"])
    assert same(ours.inputs["desi"], theirs.inputs["desi"])


def test_an_instrument_made_later_is_seen_by_a_survey_that_is_open(tmp_path):
    early = open_in(tmp_path, ONE)
    open_in(tmp_path, ONE).make(["desi"], say_nothing)
    told = []
    early.make(["desi"], lambda *numbers: told.append(numbers))
    assert told == []


def test_progress_is_told_from_none_to_the_last_object(tmp_path):
    told = []
    open_in(tmp_path, ONE).make(["desi"], lambda *numbers: told.append(numbers))
    assert told[0] == (0, 3)
    assert told[-1] == (3, 3)


def test_size_and_place_are_said_before_anything_is_written(tmp_path, caplog):
    there = []

    def look(done, total):
        there.append((caplog.messages[:], kept_in(tmp_path)))
        raise KeyboardInterrupt

    with caplog.at_level("INFO", logger="fmb.note"), pytest.raises(KeyboardInterrupt):
        open_in(tmp_path).make(["euclid", "desi"], look)
    ((line,), kept) = there[0]
    assert line.startswith("simulating 70 objects, euclid and desi, about 1")
    assert line.endswith(f"MB, into {demo_folder(CONFIG, tmp_path)}")
    assert not {"euclid", "desi"} & set(kept)


def test_the_size_that_is_said_is_near_what_is_written(cache, caplog, tmp_path):
    with caplog.at_level("INFO", logger="fmb.note"):
        open_in(tmp_path).make(["legacysurvey"], say_nothing)
    said = int(caplog.messages[0].split(" about ")[1].split()[0])
    written = sum(path.stat().st_size for path in tmp_path.rglob("*.h5"))
    assert said == pytest.approx(written / 1e6, rel=0.1)  # 70 objects are not quite the average


def test_less_is_written_than_the_numbers_take_in_memory(cache):
    folder = demo_folder(CONFIG, cache)
    for name, most in (("euclid", 0.70), ("desi", 0.75)):  # flux alone is 4 of 9 bytes a pixel
        data = open_in(cache).read(np.arange(70), [name]).inputs[name]
        memory = data.flux.nbytes + data.ivar.nbytes + data.mask.nbytes
        disk = sum(path.stat().st_size for path in (folder / name).iterdir())
        assert disk < most * memory


def test_an_interrupted_simulation_is_never_taken_for_a_finished_one(tmp_path):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_in(tmp_path, ONE).make(["desi"], interrupt)
    assert kept_in(tmp_path, ONE) == []
    open_in(tmp_path, ONE).make(["desi"], say_nothing)
    assert kept_in(tmp_path, ONE) == ["desi"]


def kill_oneself(done, total):
    os.kill(os.getpid(), signal.SIGKILL)


def make_and_die(cache):
    open_in(cache, ONE).make(["desi"], kill_oneself)


def test_what_a_killed_process_leaves_is_read_by_nobody_and_swept_a_day_later(tmp_path):
    child = multiprocessing.get_context("fork").Process(target=make_and_die, args=(tmp_path,))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    (left,) = kept_in(tmp_path, ONE)
    assert left.startswith(".desi.")
    yesterday = time.time() - 1.1 * DAY
    os.utime(demo_folder(ONE, tmp_path) / left, (yesterday, yesterday))
    open_in(tmp_path, ONE).make(["desi"], say_nothing)
    assert kept_in(tmp_path, ONE) == ["desi"]


def test_of_two_that_make_the_same_the_first_stays_and_nothing_is_left_over(tmp_path):
    def finish_theirs(done, total):
        if done == total:
            open_in(tmp_path, ONE).make(["desi"], say_nothing)
            first.append((demo_folder(ONE, tmp_path) / "desi").stat().st_ino)

    first = []
    survey = open_in(tmp_path, ONE)
    survey.make(["desi"], finish_theirs)
    assert kept_in(tmp_path, ONE) == ["desi"]
    assert (demo_folder(ONE, tmp_path) / "desi").stat().st_ino == first[0]
    assert same(
        survey.read(np.arange(3)).inputs["desi"],
        build_demo(ONE).read(np.arange(3)).inputs["desi"],
    )


def test_several_processes_make_what_one_makes(tmp_path, monkeypatch):
    for name, worth in (("alone", 1000), ("shared", 2)):
        monkeypatch.setattr("fmb_surveys.demo.kept.WORTH_SHARING", worth)
        open_in(tmp_path / name).make(["desi"], say_nothing)
    (alone,), (shared,) = ((tmp_path / n).rglob("*.h5") for n in ("alone", "shared"))
    assert alone.read_bytes() == shared.read_bytes()


def test_packed_rows_are_plain_gzip_to_any_reader(cache):
    (path,) = (demo_folder(CONFIG, cache) / "euclid").iterdir()
    with h5py.File(path) as file:
        assert {n for n in file if file[n].compression == "gzip"} == {"ivar", "mask"}
        assert file["ivar"].chunks == (1, 4, 96, 96)
        assert not file["mask"][:2].all()


def test_a_cache_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FailedError, match=r"cannot make .*; choose another workspace"):
        open_in(tmp_path / "file", ONE).make(["desi"], say_nothing)


def test_a_disk_without_room_is_refused_before_a_row_is_simulated(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000}))
    told = []
    with pytest.raises(FailedError, match=r"no space left for .*; free some"):
        open_in(tmp_path, ONE).make(["desi"], lambda *numbers: told.append(numbers))
    assert told == []
    assert kept_in(tmp_path, ONE) == []


def test_a_misspelt_instrument_is_named(tmp_path):
    survey = open_in(tmp_path, ONE)
    with pytest.raises(DataError, match="did you mean 'desi'"):
        survey.read(np.arange(2), ["dessi"])
    with pytest.raises(DataError, match="did you mean 'desi'"):
        survey.make(["dessi"], say_nothing)


def test_a_survey_in_which_no_object_has_an_instrument_writes_nothing_for_it(tmp_path):
    # 3 objects in 100 have no spectrum, so that one of 200 skies starts with such a one.
    skies = [DemoConfig(n_objects=1, seed=seed, planting="none") for seed in range(200)]
    config = next(c for c in skies if not build_demo(c).inputs["desi"].present.any())
    survey = open_in(tmp_path, config)
    survey.make(survey.inputs, say_nothing)
    assert kept_in(tmp_path, config) == ["euclid", "legacysurvey"]
    assert len(survey.read(np.arange(1)).inputs["desi"]) == 0
