"""Rows of other files and absent rows: matched by id, never by order unless declared."""

import numpy as np
import pandas as pd
import pytest

from fmb import ConfigError, ShapeError


def everything(dataset):
    return dataset.read(np.arange(len(dataset)))


def test_objects_that_were_not_observed_are_absent_not_zero(files):
    files.arrays["seen"] = np.array([1, 0, 1, 1, 0, 1], dtype=bool)
    files.spec["present"] = "seen"
    dataset = files.open()
    assert dataset.inputs["spec"].present.tolist() == files.arrays["seen"].tolist()
    assert dataset.inputs["cam"].present is None
    batch = dataset.read(np.array([4, 3, 1, 0]))
    assert batch.rows["spec"].tolist() == [1, 3]
    assert np.array_equal(batch.inputs["spec"].flux, files.arrays["flux"][[3, 0]])


def test_a_batch_without_any_observation_has_empty_inputs(files):
    files.arrays["seen"] = np.array([1, 0, 1, 1, 0, 1], dtype=bool)
    files.spec["present"] = "seen"
    batch = files.open().read(np.array([4, 1]))
    assert batch.inputs["spec"].flux.shape == (0, 40)
    assert batch.rows["spec"].tolist() == []


def test_absent_bands_are_marked(files):
    files.arrays["image"][2, 1] = np.nan
    valid = everything(files.open()).inputs["cam"].band_valid
    assert np.argwhere(~valid).tolist() == [[2, 1]]
    files.arrays["have"] = np.ones((6, 2), dtype=bool)
    files.arrays["have"][4, 0] = False
    files.cam["band_valid"] = "have"
    assert np.argwhere(~everything(files.open()).inputs["cam"].band_valid).tolist() == [[4, 0]]


def test_rows_of_another_file_are_matched_by_id(files, make_h5):
    order = np.array([3, 0, 5, 1])
    others = {name: files.arrays[name][order] for name in ("flux", "ivar", "wave")}
    others["target"] = files.arrays["id"][order].astype(np.uint64)
    others["target"][3] = 77  # belongs to no object
    make_h5(files.folder / "spectra.h5", others)
    files.spec.update(file="spectra.h5", id="target")
    dataset = files.open()
    assert np.flatnonzero(dataset.inputs["spec"].present).tolist() == [0, 3, 5]
    spec = dataset.read(np.array([5, 4, 0])).inputs["spec"]
    assert np.array_equal(spec.flux, files.arrays["flux"][[5, 0]])
    assert "spec: 1 rows belong to no object of the catalogue" in dataset.warnings


def test_rows_of_another_file_are_never_matched_by_order_unless_declared(files, make_h5):
    make_h5(files.folder / "spectra.h5", files.arrays)
    files.spec["file"] = "spectra.h5"
    with pytest.raises(ConfigError, match=r"inputs\.spec is in another file .* same_order = true"):
        files.open()
    files.spec["same_order"] = True
    assert np.array_equal(everything(files.open()).inputs["spec"].flux, files.arrays["flux"])


def test_each_object_may_have_a_file_of_its_own(files, make_h5):
    names = [f"s{row}.h5" for row in range(6)]
    for row in (0, 2, 5):
        one = {name: files.arrays[name][row] for name in ("flux", "ivar", "wave")}
        make_h5(files.folder / names[row], one)
    have = [names[row] if row in (0, 2, 5) else None for row in range(6)]
    table = pd.DataFrame({"object_id": files.arrays["id"], "spec": have})
    table.to_parquet(files.folder / "rows.parquet")
    files.spec["files"] = "rows.parquet"
    dataset = files.open()
    batch = dataset.read(np.array([5, 1, 0]))
    assert batch.rows["spec"].tolist() == [0, 2]
    assert np.array_equal(batch.inputs["spec"].flux, files.arrays["flux"][[5, 0]])
    make_h5(files.folder / "s5.h5", {n: np.ones(3) for n in ("flux", "ivar", "wave")})
    with pytest.raises(ShapeError, match=r"s5\.h5: 'wave' has shape \(3,\)"):
        files.reopen().read(np.array([0, 5]))
