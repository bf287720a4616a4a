"""`--skip-bad`: objects whose own file is broken are counted and listed, the rest is right."""

import re

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from fmb import FmbError
from fmb.cli import main
from fmb_surveys.files.reader import FilesConfig, open_survey_file


@pytest.fixture
def apart(files, make_h5):
    """The small survey with a file for each image and each spectrum."""
    arrays = files.arrays
    for row, ident in enumerate(arrays["id"]):
        make_h5(files.folder / f"cam{ident}.h5", {"image": arrays["image"][row]})
        spec = {name: arrays[name][row] for name in ("flux", "ivar", "wave")}
        make_h5(files.folder / f"spec{ident}.h5", spec)
    for name in ("cam", "spec"):
        index = {"object_id": arrays["id"], name: [f"{name}{i}.h5" for i in arrays["id"]]}
        pd.DataFrame(index).to_parquet(files.folder / f"{name}.parquet")
        files.toml["inputs"][name]["files"] = f"{name}.parquet"
    files.write()
    return files


def place(files, name, row):
    return files.folder / f"{name}{files.arrays['id'][row]}.h5"


def cut(path):
    path.write_bytes(path.read_bytes()[:-500])


def opened(files, **settings):
    config = FilesConfig(skip_bad=True, **settings)
    return open_survey_file(str(files.folder), config, cache=files.folder / "cache")


def told(dataset, name):
    return [line for line in dataset.warnings if line.startswith(f"{name}: ")]


def test_objects_of_broken_files_lack_that_input_and_are_listed_with_their_file(apart):
    cut(place(apart, "cam", 4))
    place(apart, "cam", 1).unlink()
    dataset = opened(apart)
    batch = dataset.read(np.arange(6))
    assert batch.rows["cam"].tolist() == [0, 2, 3, 5]
    assert batch.rows["spec"].tolist() == [0, 1, 2, 3, 4, 5]
    assert np.array_equal(batch.inputs["cam"].flux, apart.arrays["image"][[0, 2, 3, 5]])
    assert dataset.inputs["cam"].present.tolist() == [True, False, True, True, False, True]
    ids = apart.arrays["id"]
    counted, *listed = told(dataset, "cam")
    assert counted == "cam: 2 objects left out, whose files are broken"
    assert listed[0] == f"cam: {ids[1]} is left out: {place(apart, 'cam', 1)}: no such file"
    assert listed[1].startswith(f"cam: {ids[4]} is left out: {place(apart, 'cam', 4)}: ")
    assert "cut short" in listed[1]
    assert not told(dataset, "spec")


def test_without_it_the_first_broken_file_is_one_line(apart):
    cut(place(apart, "cam", 4))
    result = CliRunner().invoke(main, ["data", "validate", str(apart.folder)])
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert f"{place(apart, 'cam', 4)}: the HDF5 file is cut short" in line


@pytest.mark.parametrize("row", [0, 3])
def test_a_file_unlike_most_is_the_broken_one_even_if_it_is_the_first(apart, make_h5, row):
    make_h5(place(apart, "cam", row), {"image": np.zeros((2, 5, 5), dtype=np.float32)})
    dataset = opened(apart)
    _, line = told(dataset, "cam")
    assert str(apart.arrays["id"][row]) in line
    assert "has shape (2, 5, 5)" in line
    others = np.delete(np.arange(6), row)
    flux = dataset.read(others).inputs["cam"].flux
    assert np.array_equal(flux, apart.arrays["image"][others])


def test_any_array_that_is_read_of_a_file_counts(apart, make_h5):
    spec = {name: apart.arrays[name][2] for name in ("flux", "wave")}
    make_h5(place(apart, "spec", 2), spec)
    [_, line] = told(opened(apart), "spec")
    assert "'ivar' is not there" in line


def test_shorter_spectra_are_not_broken_where_they_may_be_shorter(apart, make_h5):
    apart.spec["pixels"] = 40
    apart.write()
    short = {name: apart.arrays[name][2][:30] for name in ("flux", "ivar", "wave")}
    make_h5(place(apart, "spec", 2), short)
    dataset = opened(apart)
    assert not told(dataset, "spec")
    found = dataset.read(np.array([2])).inputs["spec"]
    assert np.array_equal(found.flux[0, :30], apart.arrays["flux"][2][:30])
    assert found.mask[0, 30:].all()


def test_a_survey_of_broken_files_only_is_refused(apart):
    for row in range(6):
        cut(place(apart, "spec", row))
    with pytest.raises(
        FmbError, match=r"spec: every file is broken, the first by this: .*cut short"
    ):
        opened(apart)


def test_survey_toml_says_it_too(apart):
    cut(place(apart, "cam", 4))
    apart.toml["skip_bad"] = True
    assert len(told(apart.open(), "cam")) == 2


def test_validate_lists_the_broken_and_passes(apart):
    cut(place(apart, "cam", 4))
    result = CliRunner().invoke(main, ["data", "validate", "--skip-bad", str(apart.folder)])
    assert result.exit_code == 0, result.output
    shown = " ".join(result.stdout.split())
    assert "warning: cam: 1 object left out, whose files are broken" in shown
    assert re.search(rf"warning: cam: {apart.arrays['id'][4]} is left out: \S+: the HDF5", shown)


def test_where_no_object_has_a_file_of_its_own_it_is_refused(files):
    for source, told in (
        (files.write(), "no object of this survey has a file of its own, so none can be skipped"),
        ("demo", "unknown key 'skip_bad'|data.skip_bad"),
    ):
        result = CliRunner().invoke(main, ["data", "validate", "--skip-bad", str(source)])
        assert result.exit_code == 2
        assert re.search(told, result.stderr), result.stderr
