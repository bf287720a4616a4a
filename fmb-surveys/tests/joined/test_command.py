"""`fmb data join`, and what other commands make of what it writes."""

import json
import re
import shlex
import tomllib
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pytest
import tomli_w
from pyarrow import csv, parquet

DOCS = Path(__file__).parents[3] / "docs" / "joins.md"


@pytest.fixture
def trees(surveys):
    surveys.write()
    (surveys.folder / "survey.toml").unlink()
    return surveys.folder


def test_two_trees_are_joined_in_one_command(trees, fmb):
    out = trees / "joined.toml"
    done = fmb("data", "join", f"images={trees}/cam", f"{trees}/spec", "--match", 1, "--out", out)
    assert (done.exit_code, done.stdout) == (0, f"wrote {out}: 6 objects with cam, spec\n")
    assert "4 of 6 objects have a partner in spec, 0.3 arcsec away in the median" in done.stderr
    assert tomllib.loads(out.read_text()) == {
        "name": "images-spec",
        "survey": {
            "images": {"path": "cam"},
            "spec": {"path": "spec", "match": {"radius_arcsec": 1.0}},
        },
    }
    shown = json.loads(fmb("data", "show", out, "--json").stdout)
    assert [one["objects"] for one in shown["inputs"]] == [6, 4]
    assert {"column": "match_arcsec_spec", "type": "float64", "unit": "arcsec"} in shown["columns"]


def test_trees_are_joined_by_a_column(trees, fmb):
    out, on = trees / "joined.toml", "target=object_id"
    done = fmb("data", "join", trees / "cam", trees / "spec", "--on", on, "--matched", "--out", out)
    assert done.stdout == f"wrote {out}: 4 objects with cam, spec\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["cam", "spec"], "--match ARCSEC or --on COLUMN"),
        (["cam", "spec", "--match", 1, "--on", "id"], "--match ARCSEC or --on COLUMN"),
        (["cam", "--match", 1], "name two surveys or more"),
        (["cam", "cam", "--match", 1], "two surveys are called 'cam'"),
        (["cam", "no/where", "--match", 1], "no such file or folder"),
        (["cam", "spec", "--match", 0.1], "none of its 4 objects is one of the 6"),
    ],
)
def test_what_cannot_be_joined_leaves_no_file(trees, fmb, monkeypatch, options, message):
    monkeypatch.chdir(trees)
    done = fmb("data", "join", *options, "--out", "joined.toml")
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr
    assert not (trees / "joined.toml").exists()


def test_validate_reads_a_joined_survey_to_its_end(surveys, fmb):
    done = fmb("data", "validate", surveys.write())
    assert "6 objects read" in done.stdout


def as_hdf5(folder, tree, pattern, key, columns):
    """A HATS tree as a survey of HDF5, by pyarrow alone; its columns in any order."""
    tables = [parquet.read_table(path) for path in sorted(tree.glob(pattern))]
    table = pa.concat_tables(tables).to_pydict()
    nested, inputs = columns
    folder.mkdir()
    with h5py.File(folder / "data.h5", "w") as file:
        for name in (key, "ra", "dec"):
            file[name] = np.array(
                table[name], dtype=object if isinstance(table[name][0], str) else None
            )
        for name in nested[1]:
            file[name] = np.array([row[name] for row in table[nested[0]]], dtype=np.float32)
        toml = {"name": folder.name, "file": "data.h5", "inputs": inputs}
        toml["catalog"] = {"id": key, "ra": "ra", "dec": "dec"}
        (folder / "survey.toml").write_text(tomli_w.dumps(toml))
    return folder


def test_real_images_and_spectra_find_each_other(tmp_path, real_trees, fmb):
    images = as_hdf5(
        tmp_path / "acs",
        real_trees / "deep2_images_hats",
        "deep2_images/dataset/**/*.parquet",
        "object_id",
        (("image", ["flux"]), {"acs": {"kind": "images", "flux": "flux", "unit": "count / s",
                                       "bands": ["f606w", "f814w"], "pixel_scale_arcsec": 0.03}}),
    )  # fmt: skip
    spectra = as_hdf5(
        tmp_path / "deimos",
        real_trees / "deep2_spectra_hats",
        "deep2_spectra/dataset/**/*.parquet",
        "TARGETID",
        (("spectrum", ["flux", "lambda"]), {"deimos": {"kind": "spectra", "flux": "flux",
                                                       "wavelength": "lambda", "unit": "counts"}}),
    )  # fmt: skip
    out = tmp_path / "survey.toml"
    done = fmb("data", "join", images, spectra, "--match", 1, "--out", out)
    assert "24 of 28 objects have a partner in deimos" in done.stderr
    truth = csv.read_csv(real_trees / "deep2_truth.csv").to_pydict()
    from fmb.datasets import open_dataset

    both = open_dataset(str(out), cache=tmp_path / "cache")
    found = dict(zip(both.ids.tolist(), both.catalog["deimos_id"].tolist(), strict=True))
    expected = dict(zip(truth["object_id"], truth["TARGETID"], strict=True))
    assert len(expected) == 24
    assert {one: target for one, target in found.items() if one in expected} == expected
    assert sum(one not in expected for one in found) == 4
    assert both.inputs["deimos"].have(28).sum() == 24


def test_the_trees_of_the_docs_are_joined_and_run_by_its_commands(
    tmp_path, real_trees, fmb, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for name in ("deep2_images_hats", "deep2_spectra_hats"):
        (tmp_path / name).symlink_to(real_trees / name)
    shown = re.findall(r"^\$ fmb (.*deep2\.toml.*)$", DOCS.read_text(), flags=re.MULTILINE)
    join, run = map(shlex.split, shown)
    done = fmb(*join)
    assert done.exit_code == 0, done.output
    assert "24 of 28 objects have a partner in deimos" in done.stderr
    done = fmb(*run, "--out", "both")
    assert done.exit_code == 0, done.output
    lists = json.loads(fmb("top", "both", "-k", "28", "--json").stdout)
    paired = {row["object_id"] for row in lists["astropt.mean.image+spectrum.mismatch"]}
    truth = csv.read_csv(real_trees / "deep2_truth.csv").to_pydict()
    assert paired == set(truth["object_id"])
    assert len(paired) == 24


def test_what_a_tree_does_not_say_is_asked_for_in_words_that_the_command_takes(
    tmp_path, real_trees, fmb
):
    out = tmp_path / "out.toml"
    words = ["data", "join", f"acs={real_trees}/deep2_images_hats"]
    words += [f"data={real_trees}/deep2_spectra_hats", "--match", "1", "--out", out]
    for unit in ("count/s", "counts"):
        asked = fmb(*words)
        assert (asked.exit_code, asked.stderr.count("\n")) == (2, 1)
        words += ["--set", asked.stderr.split("--set ")[1].strip().replace("UNIT", unit)]
    assert words[-3::2] == ["acs.inputs.image.unit=count/s", "data.inputs.spectrum.unit=counts"]
    assert fmb(*words).exit_code == 0
    words[-3] = f"data.{words[-3]}"
    assert fmb(*words, "--overwrite").exit_code == 0


def test_a_setting_of_no_survey_is_refused(trees, fmb):
    words = ("data", "join", trees / "cam", trees / "spec", "--match", 1)
    done = fmb(*words, "--set", "data.inputs.cam.unit=nJy", "--out", trees / "out.toml")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "NAME.KEY=VALUE with NAME one of cam, spec" in done.stderr
