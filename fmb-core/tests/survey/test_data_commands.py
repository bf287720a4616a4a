import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from fmb.cli.data import command
from fmb.contract.errors import FmbError

DOCS = Path(__file__).parents[3] / "docs" / "your-survey.md"


def fmb_data(*args):
    return CliRunner().invoke(command, [str(arg) for arg in args])


def refused(*args) -> str:
    result = fmb_data(*args)
    assert isinstance(result.exception, FmbError), result.output
    message = str(result.exception)
    assert "\n" not in message
    return message


def test_show_says_what_there_is(files):
    files.cam["unit"] = "display"
    result = fmb_data("show", files.write())
    assert result.exit_code == 0
    assert "sound: 6 objects" in result.stdout
    assert re.search(r"cam +images +6 +8 x 9 +display +no +G, R +0\.25\"/pixel", result.stdout)
    assert re.search(r"spec +spectra +6 +40 .* 4000-4079 Angstrom", result.stdout)
    assert re.search(r"ra +float64 +deg", result.stdout)
    assert "warning: not photometric" in result.stdout


def test_show_as_json_keeps_ids_as_text(files):
    result = fmb_data("show", files.write(), "--json")
    values = json.loads(result.stdout)
    assert values["objects"] == 6
    assert values["ids"]["first"] == str(files.arrays["id"][0])
    assert [row["input"] for row in values["inputs"]] == ["cam", "spec"]
    assert values["identity"]["reader"] == "hdf5"


def test_validate_passes_with_warnings_and_fails_with_errors(files):
    files.arrays["image"][3, :, :4] = 0.0
    result = fmb_data("validate", files.write())
    assert result.exit_code == 0
    assert f"warning: cam: zero-filled: 1 object, {files.arrays['id'][3]} (50%)" in result.stdout
    assert "6 objects read, 1 with findings" in result.stdout
    files.arrays["ivar"][2] = 0.0
    files.arrays["image"][4] = np.nan
    files.arrays["wave"][5, 20] = 1.0
    result = fmb_data("validate", files.write())
    assert result.exit_code == 1
    ids = files.arrays["id"]
    assert f"error: spec: no good pixel: 1 object, {ids[2]}" in result.stdout
    assert f"error: cam: no pixel has a value: 1 object, {ids[4]}" in result.stdout
    assert f"error: spec: wavelengths are not ascending: 1 object, {ids[5]}" in result.stdout


def test_validate_as_json_lists_every_finding(files):
    files.arrays["image"][3] = np.nan
    result = fmb_data("validate", files.write(), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == [
        {
            "object_id": str(files.arrays["id"][3]),
            "input": "cam",
            "problem": "no pixel has a value",
            "severity": "error",
            "fraction": None,
        }
    ]


def test_a_missing_source_is_one_line(tmp_path):
    assert "no such file or folder" in refused("show", tmp_path / "gone.toml")


@pytest.fixture
def cutouts(files, make_h5, tmp_path, monkeypatch):
    """A catalogue and one file an object, as a survey might keep them; one image is missing."""
    monkeypatch.chdir(tmp_path)
    ids = files.arrays["id"]
    bricks = [f"b{row % 2}" for row in range(6)]
    for row, (target, brick) in enumerate(zip(ids, bricks, strict=True)):
        (tmp_path / "cut" / brick).mkdir(parents=True, exist_ok=True)
        (tmp_path / "spec").mkdir(exist_ok=True)
        one = {name: files.arrays[name][row] for name in ("image", "flux", "ivar")}
        one["image"] = np.concatenate([one["image"], one["image"]])  # four bands
        if row != 2:
            make_h5(tmp_path / "cut" / brick / f"{target}.h5", {"image": one["image"]})
        spec = {"flux": one["flux"], "ivar": one["ivar"], "wavelength": files.arrays["wave"][row]}
        make_h5(tmp_path / "spec" / f"{target}.h5", spec)
    (tmp_path / "cut" / "b0" / "999.h5").touch()
    table = {"TARGETID": ids, "RA": files.arrays["ra"], "DEC": files.arrays["dec"]}
    pd.DataFrame({**table, "BRICKID": bricks}).to_parquet(tmp_path / "cat.parquet")
    return tmp_path


def documented() -> list[str]:
    text = DOCS.read_text(encoding="utf-8")
    [line] = re.findall(r"^\$ fmb (data index .*)$", text, flags=re.MULTILINE)
    return shlex.split(line)[1:]


def test_the_index_command_of_the_docs_makes_a_survey_that_reads(cutouts, files):
    result = fmb_data(*documented())
    assert result.exit_code == 0, result.exception
    assert f"legacysurvey: no file for {files.arrays['id'][2]}" in result.stderr
    assert "legacysurvey: no object for cut/b0/999.h5" in result.stderr
    assert re.search(r"legacysurvey +6 +5 +1 +1 +0", result.stdout)
    assert re.search(r"desi +6 +6 +0 +0 +0", result.stdout)
    from fmb.datasets.opening import open_dataset

    dataset = open_dataset("survey.toml", cache=cutouts)
    batch = dataset.read(np.arange(6))
    assert batch.rows["legacysurvey"].tolist() == [0, 1, 3, 4, 5]
    assert np.array_equal(
        batch.inputs["legacysurvey"].flux[:, :2], files.arrays["image"][[0, 1, 3, 4, 5]]
    )
    assert np.array_equal(batch.inputs["desi"].flux, files.arrays["flux"])
    assert dataset.catalog["BRICKID"].tolist() == ["b0", "b1"] * 3


def test_the_index_can_be_moved_with_its_files(cutouts, tmp_path_factory):
    from fmb.datasets.opening import open_dataset

    assert fmb_data(*documented()).exit_code == 0
    moved = tmp_path_factory.mktemp("moved") / "all"
    cutouts.rename(moved)
    assert len(open_dataset(str(moved), cache=moved).read(np.arange(6))) == 6


def test_an_existing_survey_file_is_not_replaced_unasked(cutouts):
    assert fmb_data(*documented()).exit_code == 0
    assert "is there already; pass --overwrite" in refused(*documented())
    assert fmb_data(*documented(), "--overwrite", "--json").exit_code == 0


def test_a_failed_overwrite_keeps_what_was_there(cutouts):
    assert fmb_data(*documented()).exit_code == 0
    before = {path.name: path.read_bytes() for path in cutouts.iterdir() if path.is_file()}
    refused(*documented(), "--overwrite", "--set", "inputs.desi.flux=gone")
    assert before == {p.name: p.read_bytes() for p in cutouts.iterdir() if p.is_file()}


INDEX = ["index", "--catalog", "cat.parquet", "--id", "TARGETID", "--out", "out.toml"]
IMAGES = ["--bands", "G,R,I,Z", "--images-unit", "nmgy", "--pixel-scale", "0.262"]


@pytest.mark.parametrize(
    ("args", "pattern"),
    [
        ([], "name files with --images, --spectra or both"),
        (["--images", "cut/{TARGETID}.fits"], r"no installed plugin reads '\.fits' cutouts"),
        (["--images", "cut/{BRICK}/{TARGETID}.h5"], "'BRICK' is not there|called 'BRICK'"),
        (["--images", "cut/{TARGETID}.h5"], r"no file of any object is there, for instance cut/46"),
        (["--images", "cut/{TARGETID.real}.h5"], "no column is called 'TARGETID.real'"),
        (["--images", "cut/{BRICKID:d}.h5"], "BRICKID = 'b0' does not fit"),
        (["--images", "cut/{BRICKID.h5"], "not a template"),
        (["--images", "cut/{BRICKID}/{TARGETID}.h5"], r"inputs\.images\.\w+ must be given"),
        (
            ["--images", "cut/{BRICKID}/{TARGETID}.h5", *IMAGES, "--images-dataset", "imag"],
            r"'imag' is not there; did you mean 'image'",
        ),
        (
            ["--images", "cut/{BRICKID}/{TARGETID}.h5", *IMAGES, "--set", "inputs.images.maks=m"],
            r"inputs\.images\.maks; did you mean 'mask'",
        ),
        (
            ["--images", "cut/{BRICKID}/{TARGETID}.h5", *IMAGES, "--ra", "RAA"],
            r"no column is called 'RAA'; did you mean 'RA'",
        ),
    ],
)
def test_what_cannot_be_indexed_is_one_line_and_leaves_nothing(cutouts, args, pattern):
    before = sorted(path.name for path in cutouts.iterdir())
    assert re.search(pattern, message := refused(*INDEX, *args)), message
    assert sorted(path.name for path in cutouts.iterdir()) == before


def test_one_file_for_all_objects_is_matched_by_id_or_by_declared_order(cutouts, files):
    files.write()
    one = ["--images", f"cam={files.folder}/data.h5", "--bands", "G,R", *IMAGES[2:]]
    assert "name its ids with id = ..., or set same_order = true" in refused(*INDEX, *one)
    for more in (["--ids-dataset", "id"], ["--same-order"]):
        result = fmb_data(*INDEX, *one, *more, "--overwrite")
        assert result.exit_code == 0, result.exception
        assert re.search(r"cam +6 +6 +0 +0 +0", result.stdout)
    assert not (cutouts / "out.index.parquet").exists()


def test_objects_that_share_a_file_are_counted(cutouts, make_h5, files):
    for brick in ("b0", "b1"):
        make_h5(cutouts / f"{brick}.h5", {"image": files.arrays["image"][0]})
    args = ["--images", "{BRICKID}.h5", "--bands", "G,R", *IMAGES[2:]]
    result = fmb_data(*INDEX, *args)
    assert re.search(r"images +6 +6 +0 +0 +4", result.stdout), result.output
