"""`fmb data index` of files a band, of files whose names are the ids, and of whole trees."""

import contextlib
import re
import sys
import tomllib
import types

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

from fmb.cli import main
from fmb.datasets import open_dataset
from fmb.files import Stated
from fmb_surveys.files.stores import object_files

RNG = np.random.default_rng(6)
CUBE = RNG.normal(size=(3, 2, 5, 6)).astype(np.float32)
"""Objects 11, 12 and 13 in bands v and i; 12 has no file of i."""


@pytest.fixture
def bands(make_h5, tmp_path, monkeypatch):
    """A catalogue and one file a band."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cut").mkdir()
    for row, ident in enumerate((11, 12, 13)):
        for at, band in enumerate(("v_6ac", "i_6ac")):
            if (row, at) != (1, 1):
                make_h5(tmp_path / "cut" / f"{ident}.acs.{band}_.h5", {"image": CUBE[row, at]})
    pd.DataFrame({"objno": [11, 12, 13, 14]}).to_csv(tmp_path / "cat.csv", index=False)
    return tmp_path


def index(*args, out="out.toml"):
    return CliRunner().invoke(main, ["data", "index", *map(str, args), "--out", out])


def refused(*args) -> str:
    result = index(*args)
    assert result.exit_code == 2, result.output
    [line] = result.stderr.splitlines()
    return line


def read(folder, name="out.toml", rows=(0, 1, 2)):
    dataset = open_dataset(str(folder / name), cache=folder / "cache")
    return dataset, dataset.read(np.array(rows))


CATALOG = ["--catalog", "cat.csv", "--id", "objno"]
ACS = ["--images", "acs=cut/{objno}.acs.{band}_.h5", "--images-unit", "count/s"]
ACS += ["--pixel-scale", "0.03"]


def test_a_file_a_band_is_found_by_its_name_and_a_missing_one_is_a_missing_band(bands):
    result = index(*CATALOG, *ACS)
    assert result.exit_code == 0, result.output
    assert re.search(r"^acs +4 +3 +1 +0 +0 +1$", result.stdout, flags=re.MULTILINE)
    dataset, batch = read(bands)
    acs = batch.inputs["acs"]
    assert acs.bands == ("i_6ac", "v_6ac")
    assert acs.band_valid.tolist() == [[True, True], [False, True], [True, True]]
    assert np.array_equal(acs.flux[[0, 2]], CUBE[[0, 2], ::-1])
    assert np.array_equal(acs.flux[1, 1], CUBE[1, 0])
    assert np.isnan(acs.flux[1, 0]).all()
    assert "in the order of their names" in " ".join(dataset.described)
    assert dataset.inputs["acs"].present.tolist() == [True, True, True, False]


def test_the_user_chooses_bands_and_their_order(bands):
    assert index(*CATALOG, *ACS, "--bands", "v_6ac,i_6ac").exit_code == 0
    assert np.array_equal(read(bands)[1].inputs["acs"].flux[[0, 2]], CUBE[[0, 2]])
    assert index(*CATALOG, *ACS, "--bands", "i_6ac", "--overwrite").exit_code == 0
    dataset, batch = read(bands, rows=(0, 1, 2, 3))
    assert dataset.inputs["acs"].present.tolist() == [True, False, True, False]
    assert np.array_equal(batch.inputs["acs"].flux, CUBE[[0, 2], 1:])


def test_a_file_that_changes_makes_its_object_another_one(bands, make_h5):
    assert index(*CATALOG, *ACS).exit_code == 0
    before, _ = read(bands)
    make_h5(bands / "cut" / "13.acs.v_6ac_.h5", {"image": CUBE[2, 0], "more": np.zeros(9)})
    after, _ = read(bands)
    changed = before.inputs["acs"].origin != after.inputs["acs"].origin
    assert changed.tolist() == [False, False, True, False]
    assert before.identity != after.identity


def test_bands_may_be_folders_and_ids_may_hold_what_stands_beside_them(bands, make_h5):
    for band, values in zip("vi", CUBE[0], strict=True):
        for ident in (11, 12, 111):
            (bands / "sky" / band).mkdir(parents=True, exist_ok=True)
            make_h5(bands / "sky" / band / f"{ident}.h5", {"image": values})
        make_h5(bands / f"{band}_a_1.h5", {"image": values})
    asked = ["--images-unit", "nmgy", "--pixel-scale", "1", "--bands", "v,i"]
    result = index(*CATALOG, "--images", "sky/{band}/{objno}.h5", *asked)
    assert re.search(r"^images +4 +2 +2 +2 +0 +0$", result.stdout, flags=re.MULTILINE), result
    assert np.array_equal(read(bands, rows=(0, 1))[1].inputs["images"].flux, CUBE[[0, 0]])
    assert index("--images", "{band}_{id}.h5", *asked, "--overwrite").exit_code == 0
    assert read(bands, rows=(0,))[0].ids.tolist() == ["a_1"]


def test_a_file_in_the_folder_of_another_object_is_an_orphan(bands, make_h5):
    for name in ("11/v-11", "11/v-12", "12/v-11", "13/v-11"):
        (bands / name).parent.mkdir(exist_ok=True)
        make_h5(bands / f"{name}.h5", {"image": CUBE[0, 0] + int(name[-2:])})
    asked = ["--images", "{objno}/{band}-{objno}.h5", "--images-unit", "nmgy", "--pixel-scale", "1"]
    result = index(*CATALOG, *asked)
    assert re.search(r"^images +4 +1 +3 +3 ", result.stdout, flags=re.MULTILINE), result.output
    flux = read(bands, rows=(0,))[1].inputs["images"].flux[0, 0]
    assert np.array_equal(flux, CUBE[0, 0] + 11)


def test_a_column_called_band_is_a_column(bands, make_h5):
    pd.DataFrame({"objno": [11, 13], "band": ["v", "w"]}).to_csv("cat.csv", index=False)
    for ident, band in ((11, "v"), (13, "w")):
        make_h5(bands / f"{ident}{band}.h5", {"image": CUBE[0]})
    asked = ["--images", "{objno}{band}.h5", "--images-unit", "nmgy", "--pixel-scale", "1"]
    assert index(*CATALOG, *asked, "--bands", "v,i").exit_code == 0
    assert np.array_equal(read(bands, rows=(0, 1))[1].inputs["images"].flux, CUBE[[0, 0]])


def test_names_of_files_are_the_ids_where_there_is_no_catalogue(bands, make_h5):
    for ident in (12, 13, 2**62 + 1):
        wave = 4000.0 + np.arange(9)
        make_h5(bands / f"s{ident}.h5", {"flux": np.full(9, ident % 100), "wavelength": wave})
    asked = [*ACS, "--spectra", "s{id}.h5", "--spectra-unit", "counts"]
    asked[1] = "acs=cut/{id}.acs.{band}_.h5"
    assert index(*asked).exit_code == 0
    dataset, batch = read(bands, rows=(0, 1, 2, 3))
    assert sorted(dataset.ids.tolist()) == [11, 12, 13, 2**62 + 1]
    assert dataset.ids.dtype == np.int64
    of_spectra = dataset.ids[batch.rows["spectra"]]
    assert sorted(of_spectra.tolist()) == [12, 13, 2**62 + 1]
    assert np.array_equal(batch.inputs["spectra"].flux[:, 0], of_spectra % 100)


def test_a_picture_a_band_is_stacked_and_a_path_in_the_catalogue_may_repeat_the_folder(bands):
    (bands / "png").mkdir()
    grey = RNG.integers(0, 256, (2, 3, 4, 5), dtype=np.uint8)
    for row in range(2):
        Image.fromarray(np.moveaxis(grey[row], 0, -1)).save(bands / "png" / f"{row}.png")
        for band, values in zip("gri", grey[row], strict=True):
            Image.fromarray(values).save(bands / "png" / f"{row}-{band}.png")
    named = {"objno": [0, 1], "image": ["png/0.png", "png/1.png"]}
    pd.DataFrame(named).to_csv("cat.csv", index=False)
    (bands / "png" / "README.txt").touch()
    result = index(*CATALOG, "--images", "png/{image}", "--pixel-scale", "0.4")
    assert result.exit_code == 0, result.output
    assert re.search(r"^images +2 +2 +0 +6 ", result.stdout, flags=re.MULTILINE)
    whole = read(bands, rows=(0, 1))[1].inputs["images"]
    assert np.array_equal(whole.flux, grey)
    assert (whole.bands, whole.unit) == (("R", "G", "B"), "display")
    asked = ["--images", "png/{objno}-{band}.png", "--pixel-scale", "0.4", "--bands", "g,r,i"]
    assert index(*CATALOG, *asked, "--overwrite").exit_code == 0
    apart = read(bands, rows=(0, 1))[1].inputs["images"]
    assert np.array_equal(apart.flux, grey)
    assert apart.bands == ("g", "r", "i")


class Talking:
    """A file of one object that says of itself what it holds."""

    def shape(self, name):
        return (9,)

    def kind(self, name):
        return np.dtype(np.float32)

    def stated(self, name):
        return Stated()

    def read(self, name):
        return np.linspace(3.6, 3.7, 9) if name == "loglam" else np.arange(9, dtype=np.float32)


@pytest.fixture
def talking(bands, monkeypatch):
    """Files of a format that tells keys of spectra and images."""
    module = types.ModuleType("talking")
    module.open_object = lambda path: contextlib.nullcontext(Talking())
    spectrum = {"flux": "FLUX", "loglam": "loglam", "unit": "1e-17 erg / (s cm2 Angstrom)"}
    filters = {".v": "F606W", ".i": "F814W"}

    def told(path, kind):
        band = [filters.get(path.with_suffix("").suffix, "F775W")]
        says = {"spectra": spectrum, "images": {"bands": band, "pixel_scale_arcsec": 0.03}}
        return says[kind], ("flux: COADD",)

    module.told = told
    monkeypatch.setitem(sys.modules, "talking", module)
    monkeypatch.setitem(object_files.OPENERS, ".tlk", "talking:open_object")
    for ident in (11, 12):
        (bands / f"{ident}.tlk").touch()
    return bands


def test_what_files_say_of_themselves_needs_no_option(talking):
    assert index(*CATALOG, "--spectra", "sdss={objno}.tlk").exit_code == 0
    dataset, batch = read(talking)
    assert np.array_equal(batch.inputs["sdss"].flux, np.tile(np.arange(9.0), (2, 1)))
    assert dataset.inputs["sdss"].wavelength_aa == pytest.approx((10**3.6, 10**3.7))
    assert dataset.described == ["sdss: flux: COADD"]


def test_bands_are_called_what_their_files_call_them(talking):
    for band in "vi":
        (talking / f"11.{band}.tlk").touch()
    asked = ["--images", "{objno}.{band}.tlk", "--images-unit", "count/s", "--bands", "v,i"]
    told = refused(*CATALOG, *asked)
    assert "has shape (1, 2, 9), expected (n, 2, height, width) for bands F606W, F814W" in told


def test_a_pixel_scale_against_what_the_files_say_is_an_error(talking):
    asked = [*CATALOG, "--images", "{objno}.tlk", "--images-unit", "count/s"]
    told = refused(*asked, "--pixel-scale", "0.05")
    assert "the pixel scale is 0.03 arcsec by what the files say, 0.05 by --pixel-scale" in told


def test_a_tree_is_written_down_for_editing_and_reads_the_same(bands):
    (bands / "png").mkdir()
    for row in range(3):
        picture = RNG.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(picture).save(bands / "png" / f"{row}.png")
    scale = ["--set", "inputs.sdss.pixel_scale_arcsec=0.4", "--name", "mine"]
    assert index("png", *scale, out="mine.toml").exit_code == 0
    dataset, batch = read(bands, "mine.toml")
    settings = {"inputs": {"sdss": {"pixel_scale_arcsec": 0.4}}}
    direct = open_dataset("png", settings=settings, cache=bands / "cache")
    assert dataset.ids.tolist() == direct.ids.tolist() == [0, 1, 2]
    flux = direct.read(np.arange(3)).inputs["sdss"].flux
    assert np.array_equal(batch.inputs["sdss"].flux, flux)
    written = tomllib.loads((bands / "mine.toml").read_text())
    assert written["name"] == "mine"
    assert written["inputs"]["sdss"]["files"] == "mine.rows.parquet"
    assert "unit display: a picture tells no flux scale" in written["described"]
    assert "is there already; pass --overwrite" in index("png", *scale, out="mine.toml").stderr


@pytest.mark.parametrize(
    ("args", "pattern"),
    [
        ([*ACS], "without --catalog the fields are {id}"),
        (["--catalog", "cat.csv", *ACS], "name the column of ids with --id COLUMN"),
        (["--id", "objno", *ACS], "name the objects with --catalog FILE --id COLUMN"),
        (["--images", "one.h5"], "name the objects with --catalog FILE --id COLUMN"),
        (["--images", "cut/{id:03d}.acs.{band}_.h5"], "{band}, without formats"),
        (["--images", "nowhere/{id}.h5"], "nowhere/{id}.h5: no such file is there"),
        ([*CATALOG, *ACS, "--bands", "v_6ac,z_6ac"], "no file has the band 'z_6ac'; did you mean"),
        ([*CATALOG, "--images", "cut/{objno}.{camera}.h5"], "no column is called 'camera'"),
        ([*CATALOG, "--images", "cut/{band}{band}.h5"], "no column is called 'band'"),
        ([*CATALOG, "--images", "no/{objno}.{band}.h5"], "for instance no/11.{band}.h5"),
        ([*CATALOG, "--spectra", "cut/{objno}.acs.{band}_.h5"], "spectra have no bands"),
        ([*CATALOG, "--images", "one.png"], "a file of one object; name those of all with"),
        ([*CATALOG, "--images", "one.xyz"], "no installed plugin reads '.xyz' cutouts"),
        (["cut", "--catalog", "cat.csv"], "give cut or --catalog, not both"),
        (["cut"], "no installed reader takes this folder"),
        (["survey.toml"], "it is a survey, not a tree of raw data"),
    ],
)
def test_what_cannot_be_indexed_is_one_line_and_leaves_nothing(bands, files, args, pattern):
    files.write()
    written = (files.folder / "survey.toml").read_text()
    (bands / "survey.toml").write_text(written.replace("data.h5", f"{files.folder}/data.h5"))
    before = sorted(path.name for path in bands.iterdir())
    assert re.search(pattern, message := refused(*args)), message
    assert sorted(path.name for path in bands.iterdir()) == before


def test_more_values_than_bands_can_be_are_refused(bands, make_h5):
    for number in range(65):
        make_h5(bands / "cut" / f"11.acs.{number}_.h5", {"image": CUBE[0, 0]})
    assert "{band} stands for 67 values, such as '0' and '1'" in refused(*CATALOG, *ACS)
