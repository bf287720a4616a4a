import errno
import io
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tomli_w
from observed_in_part import N, Simulated, assert_same_objects, reopen

from fmb import DataError, FailedError, StoreError
from fmb_surveys.demo.survey import DemoSurvey
from fmb_surveys.files import writer
from fmb_surveys.files.reader import write_survey


def test_everything_comes_back_exactly(tmp_path):
    written = Simulated()
    write_survey(tmp_path / "out", written)
    read = reopen(tmp_path / "out")
    assert read.ids.tolist() == written.ids.tolist()
    assert_same_objects(written, read)
    wide = written.catalog.astype({"tile": np.uint64, "kind": str})  # read in no narrower type
    wide.attrs = written.catalog.attrs
    pd.testing.assert_frame_equal(read.catalog, wide)
    assert read.catalog.attrs["units"] == written.catalog.attrs["units"]
    assert read.catalog.attrs["roles"] == written.catalog.attrs["roles"]
    assert read.identity == written.identity
    assert read.warnings == written.warnings
    for name, info in written.inputs.items():
        bare = replace(read.inputs[name], present=None, origin=None)
        assert bare == replace(info, present=None)
        if info.present is not None:
            assert np.array_equal(read.inputs[name].present, info.present)


@pytest.mark.parametrize("kind", [np.uint64, np.str_])
def test_ids_of_every_kind_come_back(tmp_path, kind):
    written = Simulated()
    written.ids = np.array([2**64 - 1 - row for row in range(N)], dtype=np.uint64).astype(kind)
    written.catalog["object_id"] = written.ids
    write_survey(tmp_path / "out", written)
    read = reopen(tmp_path / "out")
    assert read.ids.tolist() == written.ids.tolist()
    assert read.ids.dtype.kind == written.ids.dtype.kind
    assert read.catalog["object_id"].tolist() == written.ids.tolist()


def test_what_was_read_in_pieces_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "ROWS_AT_ONCE", 3)
    done = []
    write_survey(tmp_path / "out", Simulated(), progress=lambda n, total: done.append((n, total)))
    assert done == [(3, 7), (6, 7), (7, 7)]
    assert_same_objects(Simulated(), reopen(tmp_path / "out"))


def test_rows_without_an_observation_hold_no_zeros(tmp_path):
    import h5py

    write_survey(tmp_path / "out", Simulated())
    with h5py.File(tmp_path / "out" / "survey.h5") as file:
        absent = ~file["own/present"][()]
        assert np.isnan(file["own/flux"][()][absent]).all()
        assert np.isnan(file["own/wavelength"][()][absent]).all()


def test_an_input_that_no_object_has_is_left_out(tmp_path):
    written = Simulated()
    none = np.zeros(N, dtype=bool)
    written.present["own"] = none
    written.inputs["own"] = replace(written.inputs["own"], present=none)
    write_survey(tmp_path / "out", written)
    assert list(reopen(tmp_path / "out").inputs) == ["cam", "shared"]


def test_the_stored_identity_holds_only_for_what_was_written(tmp_path):
    write_survey(tmp_path / "out", Simulated())
    toml = tmp_path / "out" / "survey.toml"
    before = toml.read_text()
    toml.write_text(before.replace('unit = "nmgy"', 'unit = "nJy"'))
    assert reopen(tmp_path / "out").identity["reader"] == "hdf5"
    toml.write_text(before)
    assert reopen(tmp_path / "out").identity == Simulated().identity
    catalog = tmp_path / "out" / "catalog.parquet"
    table = pd.read_parquet(catalog)
    table["snr"] += 1
    table.to_parquet(catalog)
    assert reopen(tmp_path / "out").identity["reader"] == "hdf5"


def test_a_folder_that_is_there_is_not_touched(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(StoreError, match="out: is there already"):
        write_survey(tmp_path / "out", Simulated())


def leftovers(folder):
    return [path.name for path in folder.iterdir()]


def test_a_failure_midway_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "ROWS_AT_ONCE", 3)

    def stop(done, total):
        if done > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_survey(tmp_path / "out", Simulated(), progress=stop)
    assert leftovers(tmp_path) == []


def test_a_disk_that_is_too_small_is_refused_before_hdf5_meets_it(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(FailedError, match=r"out: cannot be written: .* needed and 1,000 are free"):
        write_survey(tmp_path / "out", Simulated())
    assert leftovers(tmp_path) == []


def test_a_disk_that_fills_up_meanwhile_is_one_line(tmp_path, monkeypatch):
    class Full(io.BufferedRandom):
        def write(self, body):
            raise OSError(errno.ENOSPC, "No space left on device")

    def open_full(path, mode="r", *rest, **options):
        if mode == "r+b":  # the rows, which are written into a file that is laid out already
            return Full(io.FileIO(path, "r+"))
        return honest(path, mode, *rest, **options)

    honest = Path.open
    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(FailedError, match="out: cannot be written: No space left on device"):
        write_survey(tmp_path / "out", Simulated())
    assert leftovers(tmp_path) == []


def test_a_folder_without_write_permission_is_one_line(tmp_path, monkeypatch):
    def denied(*args, **kwargs):  # the user who runs the tests may be allowed everything
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", denied)
    with pytest.raises(FailedError, match="out: cannot be written: Permission denied"):
        write_survey(tmp_path / "out", Simulated())


def test_a_killed_writer_leaves_no_survey(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from fmb_surveys.files.reader import *\n"
        "source = open_survey_file(sys.argv[1], FilesConfig(), cache=Path())\n"
        "write_survey(Path(sys.argv[2]), source, progress=lambda n, total: os.kill(os.getpid(), 9))"
    )
    write_survey(tmp_path / "in", Simulated())
    killed = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "in"), str(tmp_path / "out")], check=False
    )
    assert killed.returncode == -9
    assert not (tmp_path / "out").exists()
    write_survey(tmp_path / "out", Simulated())
    assert_same_objects(Simulated(), reopen(tmp_path / "out"))


def test_inputs_that_change_between_objects_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "ROWS_AT_ONCE", 3)

    class Moving(Simulated):
        def read(self, rows, inputs=None):
            batch = super().read(rows, inputs)
            if rows[0] > 0 and "shared" in batch.inputs:
                old = batch.inputs["shared"]
                batch.inputs["shared"] = replace(old, wavelength_aa=old.wavelength_aa + 1)
            return batch

    with pytest.raises(DataError, match="'shared' has a shared wavelength grid that changes"):
        write_survey(tmp_path / "out", Moving())

    class Unitless(Simulated):
        def read(self, rows, inputs=None):
            batch = super().read(rows, inputs)
            if rows[0] > 0 and "cam" in batch.inputs:
                batch.inputs["cam"] = replace(batch.inputs["cam"], unit="nJy")
            return batch

    with pytest.raises(DataError, match="'cam' changes its layout between objects"):
        write_survey(tmp_path / "out", Unitless())


def test_an_empty_survey_is_refused(tmp_path):
    class Empty(Simulated):
        def __len__(self) -> int:
            return 0

    with pytest.raises(DataError, match="there are no objects to write"):
        write_survey(tmp_path / "out", Empty())


def test_a_survey_written_from_a_file_reads_back_the_same(files, tmp_path):
    files.arrays["ivar"][1, 4] = 0.0
    source = files.open()
    write_survey(tmp_path / "copy", source)
    copy = reopen(tmp_path / "copy")
    rows = np.arange(6)
    for name, data in source.read(rows).inputs.items():
        other = copy.read(rows).inputs[name]
        assert np.array_equal(data.flux, other.flux)
        assert np.array_equal(data.mask, other.mask) or data.mask is other.mask is None
    assert copy.identity == source.identity


def test_the_written_description_is_toml_of_its_own(tmp_path):
    import tomllib

    write_survey(tmp_path / "out", Simulated())
    values = tomllib.loads((tmp_path / "out" / "survey.toml").read_text())
    assert values["inputs"]["own"]["wavelength"] == "own/wavelength"
    assert tomllib.loads(tomli_w.dumps(values)) == values


def test_several_processes_write_the_bytes_that_one_writes(tmp_path):
    survey = DemoSurvey(150, 0, ("desi",))
    for name, shared in (("alone", False), ("shared", True)):
        write_survey(tmp_path / name, survey, shared=shared)
    alone, shared = (tmp_path / name / "survey.h5" for name in ("alone", "shared"))
    assert alone.read_bytes() == shared.read_bytes()
