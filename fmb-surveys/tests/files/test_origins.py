"""Which file each object's data come from, and what changes with that file."""

import os

import numpy as np
import pandas as pd
import pytest

from fmb import DataError
from fmb.datasets import select
from fmb_surveys.files.reader import FilesConfig, open_survey_file, write_survey


def origins(dataset):
    return {name: info.origin.tolist() for name, info in dataset.inputs.items()}


def test_an_object_has_its_own_origin_in_a_file_of_all(files):
    first = origins(files.open())
    for name in ("cam", "spec"):
        assert len(set(first[name])) == len(first[name])
        assert 0 not in first[name]
    assert files.reopen().inputs["cam"].origin.dtype == np.uint64
    assert origins(files.reopen()) == first


def test_the_origin_changes_with_the_file_it_is_of(files, make_h5):
    make_h5(files.folder / "spectra.h5", files.arrays)
    files.spec.update(file="spectra.h5", same_order=True)
    first = origins(files.open())
    files.arrays["image"][0, 0, 0, 0] += 1
    changed = origins(files.open())
    assert changed["cam"] != first["cam"]
    assert changed["spec"] == first["spec"]


def test_an_object_that_was_not_observed_has_no_origin(files):
    files.arrays["seen"] = np.array([1, 0, 1, 1, 0, 1], dtype=bool)
    files.spec["present"] = "seen"
    origin = files.open().inputs["spec"].origin
    assert (origin != 0).tolist() == [True, False, True, True, False, True]


def test_an_id_that_moves_to_another_row_of_a_file_has_another_origin(files):
    first = files.open().inputs["cam"].origin.tolist()
    files.arrays["id"] = files.arrays["id"][::-1].copy()
    moved = files.open().inputs["cam"].origin.tolist()
    assert not set(first) & set(moved)


def one_file_an_object(files, make_h5):
    """Spectra of the objects 0, 2, 3 and 5; 2 and 3 share a file."""
    names = {0: "s0.h5", 2: "s2.h5", 3: "s2.h5", 5: "s5.h5"}
    for row in (0, 2, 5):
        one = {name: files.arrays[name][row] for name in ("flux", "ivar", "wave")}
        make_h5(files.folder / names[row], one)
    table = {"object_id": files.arrays["id"], "spec": [names.get(row) for row in range(6)]}
    pd.DataFrame(table).to_parquet(files.folder / "rows.parquet")
    files.spec["files"] = "rows.parquet"


def test_each_file_of_one_object_is_an_origin(files, make_h5):
    one_file_an_object(files, make_h5)
    origin = files.open().inputs["spec"].origin
    assert (origin != 0).tolist() == [True, False, True, True, False, True]
    assert origin[2] == origin[3]
    assert len(set(origin.tolist())) == 4  # three files, and none
    assert files.reopen().inputs["spec"].origin.tolist() == origin.tolist()
    stamp = (files.folder / "s2.h5").stat().st_mtime_ns + 10**9
    os.utime(files.folder / "s2.h5", ns=(stamp, stamp))
    touched = files.reopen().inputs["spec"].origin
    assert (touched != origin).tolist() == [False, False, True, True, False, False]


def test_a_file_of_one_object_that_is_gone_is_one_line(files, make_h5):
    names = [f"c{row}.h5" for row in range(6)]
    for row, name in enumerate(names[:-1]):
        make_h5(files.folder / name, {"image": files.arrays["image"][row]})
    table = {"object_id": files.arrays["id"], "cam": names}
    pd.DataFrame(table).to_parquet(files.folder / "rows.parquet")
    files.cam["files"] = "rows.parquet"
    with pytest.raises(DataError, match=r"c5\.h5: cannot be read: No such file"):
        files.open()


def test_a_selection_carries_the_origins_of_its_objects(files, make_h5):
    one_file_an_object(files, make_h5)
    dataset = files.open()
    chosen = select(dataset, limit=4)
    rows = [dataset.ids.tolist().index(i) for i in chosen.ids.tolist()]
    for name, info in dataset.inputs.items():
        assert chosen.inputs[name].origin.tolist() == info.origin[rows].tolist()


def test_origins_of_a_written_survey_change_with_its_file(files, tmp_path):
    write_survey(tmp_path / "copy", files.open())

    def opened():
        return origins(open_survey_file(str(tmp_path / "copy"), FilesConfig(), cache=tmp_path))

    first = opened()
    assert not set(first["cam"]) & set(first["spec"]) - {0}  # each is read in its own way
    assert opened() == first
    os.utime(tmp_path / "copy" / "survey.h5", (1, 1))
    assert not set(opened()["cam"]) & set(first["cam"]) - {0}
