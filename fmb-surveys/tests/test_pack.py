"""`fmb data pack`: many files as a few, gone on with after a stop, compared object by object."""

import json
import re
import shutil

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from observed_in_part import N, Simulated, assert_same_objects, reopen
from PIL import Image

from fmb import Columns, DataError, InputInfo, StoreError
from fmb.cli import main
from fmb_surveys.pack import packing
from fmb_surveys.pack.packing import pack
from fmb_surveys.pack.shards import Packed


def packed(folder, dataset=None, rows=2):
    return pack(folder, dataset or Simulated(), rows, lambda what, done, total: None)


def shards(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("shard-*.h5"))


def test_every_object_comes_back_as_it_was(tmp_path):
    told = packed(tmp_path / "out")
    survey = reopen(tmp_path / "out")
    assert survey.ids.tolist() == Simulated().ids.tolist()
    assert_same_objects(Simulated(), survey)
    assert survey.catalog.attrs["roles"] == Simulated().catalog.attrs["roles"]
    assert survey.catalog.attrs["units"] == Simulated().catalog.attrs["units"]
    assert "simulated: for looking" in survey.warnings
    # 7, 4 and 3 objects have the inputs: 4, 2 and 2 files of two.
    assert (told.objects, told.shards, told.written, told.compared) == (7, 8, 8, 14)
    assert not list(tmp_path.rglob("*.part"))


def test_what_was_not_observed_takes_no_room(tmp_path):
    packed(tmp_path / "out", rows=100)
    with h5py.File(tmp_path / "out" / "own" / "shard-000000.h5") as file:
        assert len(file["object_id"]) == 4
        assert np.isfinite(file["wavelength"]).all()


def test_photometry_is_packed_like_all_else(tmp_path):
    class WithColors(Simulated):
        def __init__(self):
            super().__init__()
            values = (1 + np.arange(2.0 * N)).reshape(N, 2).astype("f4")
            names, units = ("flux_g", "flux_r"), ("nmgy", "nmgy")
            self.data["phot"] = Columns(
                values=values,
                names=names,
                units=units,
                errors=values / 10,
                wavelength_aa=(4e3, 6e3),
            )
            self.present["phot"] = None
            self.inputs = {
                **self.inputs,
                "phot": InputInfo(kind="columns", unit="nmgy", bands=names, shape=(2,)),
            }

    packed(tmp_path / "out", WithColors())
    surveys = WithColors(), reopen(tmp_path / "out")
    was, now = (one.read(np.arange(N), ("phot",)).inputs["phot"] for one in surveys)
    np.testing.assert_array_equal(now.values, was.values)
    np.testing.assert_array_equal(now.errors, was.errors)
    assert (now.names, now.units, now.wavelength_aa) == (was.names, was.units, was.wavelength_aa)


def test_a_folder_of_shards_can_be_moved(tmp_path):
    packed(tmp_path / "out")
    shutil.move(tmp_path / "out", tmp_path / "moved")
    assert_same_objects(Simulated(), reopen(tmp_path / "moved"))


def stopped_after(monkeypatch, n):
    """Packing that is stopped after `n` shards."""
    write, done = Packed.write, []

    def stop(self, *arguments):
        if len(done) == n:
            raise KeyboardInterrupt
        done.append(1)
        return write(self, *arguments)

    monkeypatch.setattr(Packed, "write", stop)


def test_it_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        stopped_after(patched, 3)
        with pytest.raises(KeyboardInterrupt):
            packed(tmp_path / "out")
    assert len(shards(tmp_path / "out")) == 3
    with pytest.raises(DataError):
        reopen(tmp_path / "out")  # nothing half made is a survey
    before = {
        name: (tmp_path / "out" / name).stat().st_mtime_ns for name in shards(tmp_path / "out")
    }
    told = packed(tmp_path / "out")
    assert (told.shards, told.written) == (8, 5)
    for name, time in before.items():
        assert (tmp_path / "out" / name).stat().st_mtime_ns == time
    assert_same_objects(Simulated(), reopen(tmp_path / "out"))


def test_a_folder_begun_of_other_data_is_not_gone_on_with(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        stopped_after(patched, 1)
        with pytest.raises(KeyboardInterrupt):
            packed(tmp_path / "out")
    other = Simulated()
    other.identity = {**other.identity, "seed": 4}
    for dataset, rows in ((other, 2), (Simulated(), 3)):
        with pytest.raises(StoreError, match="was begun of other data, or with other --rows"):
            packed(tmp_path / "out", dataset, rows)


def test_an_object_that_does_not_come_back_is_found(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(packing, "_compare", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            packed(tmp_path / "out")
    with h5py.File(tmp_path / "out" / "cam" / "shard-000001.h5", "r+") as file:
        file["flux"][1, 0, 0, 0] = 77.0
    with pytest.raises(DataError, match=r"cam/shard-000001.h5: object 9 is not what was read"):
        packed(tmp_path / "out")
    with pytest.raises(DataError):
        reopen(tmp_path / "out")


def test_a_shard_that_is_lost_is_named(tmp_path):
    packed(tmp_path / "out")
    (tmp_path / "out" / "cam" / "shard-000002.h5").unlink()
    with pytest.raises(DataError, match=r"a shard is missing before shard-000003.h5; pack again"):
        reopen(tmp_path / "out")


def test_an_object_of_another_layout_is_refused(tmp_path):
    survey = Simulated()
    read = survey.read

    def odd(rows, inputs=None):
        batch = read(rows, inputs)
        if 6 in rows and "cam" in batch.inputs and len(rows) < N:
            object.__setattr__(batch.inputs["cam"], "unit", "nJy")
        return batch

    survey.read = odd
    with pytest.raises(DataError, match="input 'cam' changes its layout between objects"):
        packed(tmp_path / "out", survey)


def fmb_data(*words):
    return CliRunner().invoke(main, ["data", *map(str, words)], prog_name="fmb")


def test_a_folder_of_pictures_is_packed_by_one_command(tmp_path, monkeypatch):
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))
    (tmp_path / "cuts").mkdir()
    levels = np.random.default_rng(0).integers(0, 255, (5, 8, 8, 3), dtype=np.uint8)
    for at, one in enumerate(levels):
        Image.fromarray(one).save(tmp_path / "cuts" / f"{2**53 + 1 + at}.png")
    (key,) = re.findall(r"--set (data\.\S+_arcsec)", fmb_data("show", tmp_path / "cuts").stderr)
    words = (tmp_path / "cuts", "--set", f"{key}=0.4", "--out", tmp_path / "out")
    done = fmb_data("pack", *words, "--rows", 2, "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["objects"], told["shards"], told["compared"]) == (5, 3, 5)
    survey = reopen(tmp_path / "out")
    assert survey.ids.tolist() == [2**53 + 1 + at for at in range(5)]
    (images,) = survey.read(np.arange(5)).inputs.values()
    assert np.array_equal(images.flux, levels.transpose(0, 3, 1, 2))
    assert any("display" in line for line in survey.described)
    again = fmb_data("pack", *words)
    assert again.exit_code == 2
    assert "is packed already" in again.stderr
