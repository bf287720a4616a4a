"""`fmb data index`: a survey.toml for a catalogue and its files, and what it refuses."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from fmb.cli import main
from fmb.datasets import open_dataset

DOCS = Path(__file__).parents[3] / "docs" / "your-survey.md"


def fmb_data(*args):
    return CliRunner().invoke(main, ["data", *map(str, args)], prog_name="fmb")


def refused(*args) -> str:
    result = fmb_data(*args)
    assert result.exit_code == 2, result.output
    [line] = result.stderr.splitlines()
    return line


def test_the_command_stands_beside_those_of_the_core_with_its_summary():
    result = fmb_data("--help")
    assert re.search(r"^ +show +Say what a survey holds", result.stdout, flags=re.MULTILINE)
    summary = "Write a survey.toml for a catalogue and its files"
    assert re.search(rf"^ +index +{summary}", result.stdout, flags=re.MULTILINE)


def test_listing_the_command_imports_nothing_of_it():
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from fmb.cli import main\n"
        "shown = CliRunner().invoke(main, ['data', '--help']).stdout\n"
        "assert 'index' in shown, shown\n"
        "assert not {'fmb_surveys.index_command', 'numpy', 'h5py'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


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


def documented(which: int = 0) -> list[str]:
    text = DOCS.read_text(encoding="utf-8")
    lines = re.findall(r"^\$ fmb (data index .*)$", text, flags=re.MULTILINE)
    return shlex.split(lines[which])[1:]


def test_the_pictures_of_the_docs_are_found_and_counted_as_shown(real_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("pairs.csv", "images"):
        (tmp_path / name).symlink_to(real_data / "pairs_sdss" / name)
    result = fmb_data(*documented(1))
    assert result.exit_code == 0, result.output
    assert result.stdout in DOCS.read_text(encoding="utf-8")
    assert len(open_dataset("pairs.toml", cache=tmp_path).read(np.arange(7)).inputs["sdss"]) == 7


def test_the_index_command_of_the_docs_makes_a_survey_that_reads(cutouts, files):
    result = fmb_data(*documented())
    assert result.exit_code == 0, result.output
    assert f"legacysurvey: no file for {files.arrays['id'][2]}" in result.stderr
    assert "legacysurvey: no object for cut/b0/999.h5" in result.stderr
    assert re.search(r"legacysurvey +6 +5 +1 +1 +0", result.stdout)
    assert re.search(r"desi +6 +6 +0 +0 +0", result.stdout)
    dataset = open_dataset("survey.toml", cache=cutouts)
    batch = dataset.read(np.arange(6))
    assert batch.rows["legacysurvey"].tolist() == [0, 1, 3, 4, 5]
    assert np.array_equal(
        batch.inputs["legacysurvey"].flux[:, :2], files.arrays["image"][[0, 1, 3, 4, 5]]
    )
    assert np.array_equal(batch.inputs["desi"].flux, files.arrays["flux"])
    assert dataset.catalog["BRICKID"].tolist() == ["b0", "b1"] * 3


def test_a_column_is_given_its_role_with_a_setting(cutouts):
    role = ["--set", "catalog.roles.survey=BRICKID"]
    assert fmb_data(*documented(), *role).exit_code == 0
    catalog = open_dataset("survey.toml", cache=cutouts).catalog
    assert catalog.attrs["roles"] == {"survey": "BRICKID"}
    told = refused(*documented(), "--overwrite", "--set", "catalog.roles.survey=BRIK")
    assert "names no column 'BRIK'; did you mean 'BRICKID'" in told


def test_a_setting_may_be_spelled_as_for_a_run(cutouts):
    for at, key in enumerate(("inputs.desi.scale=2", "data.inputs.desi.scale=2")):
        assert fmb_data(*documented()[:-1], f"{at}.toml", "--set", key).exit_code == 0
    described = [Path(f"{at}.toml").read_text().replace(f"{at}.index", "index") for at in (0, 1)]
    assert "scale = 2.0" in described[0]
    assert described[0] == described[1]


def test_the_index_can_be_moved_with_its_files(cutouts, tmp_path_factory):
    assert fmb_data(*documented()).exit_code == 0
    moved = tmp_path_factory.mktemp("moved") / "all"
    cutouts.rename(moved)
    assert len(open_dataset(str(moved), cache=moved).read(np.arange(6))) == 6


def test_an_existing_survey_file_is_not_replaced_unasked(cutouts):
    assert fmb_data(*documented()).exit_code == 0
    assert "is there already; pass --overwrite" in refused(*documented())
    assert fmb_data(*documented(), "--overwrite", "--json").exit_code == 0


def test_ids_in_json_are_text(cutouts, files):
    images, _ = json.loads(fmb_data(*documented(), "--json").stdout)
    assert images["missing"] == [str(files.arrays["id"][2])]
    assert images["objects"] == 6


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
        (["--images", "cut/{TARGETID}.xyz"], r"no installed plugin reads '\.xyz' cutouts"),
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
        assert result.exit_code == 0, result.output
        assert re.search(r"cam +6 +6 +0 +0 +0", result.stdout)
    assert not (cutouts / "out.index.parquet").exists()


def test_objects_that_share_a_file_are_counted(cutouts, make_h5, files):
    for brick in ("b0", "b1"):
        make_h5(cutouts / f"{brick}.h5", {"image": files.arrays["image"][0]})
    args = ["--images", "{BRICKID}.h5", "--bands", "G,R", *IMAGES[2:]]
    result = fmb_data(*INDEX, *args)
    assert re.search(r"images +6 +6 +0 +0 +4", result.stdout), result.output


def test_a_grid_of_log10_is_declared_by_its_option(cutouts, make_h5, files):
    for row, target in enumerate(files.arrays["id"]):
        one = {name: files.arrays[name][row] for name in ("flux", "ivar")}
        path = cutouts / "spec" / f"{target}.h5"
        path.unlink()
        make_h5(path, {**one, "loglam": np.log10(files.arrays["wave"][row])})
    spectra = ("--catalog", "cat.parquet", "--id", "TARGETID", "--spectra", "spec/{TARGETID}.h5")
    index = ("index", *spectra, "--spectra-unit", "counts", "--out", "s.toml")
    line = refused(*index, "--wavelength", "loglam")
    assert "'loglam' holds 3.6" in line.replace("/loglam", "loglam")
    assert "--loglam of fmb data index" in line
    assert "give either wavelength or loglam" in refused(
        *index, "--wavelength", "loglam", "--loglam", "loglam"
    )
    assert not (cutouts / "s.toml").exists()
    assert fmb_data(*index, "--loglam", "loglam").exit_code == 0
    low, high = open_dataset("s.toml", cache=cutouts).inputs["spectra"].wavelength_aa
    wave = files.arrays["wave"]
    assert (low, high) == pytest.approx((wave.min(), wave.max()))
