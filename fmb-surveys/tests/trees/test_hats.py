"""HATS catalogues as lsdb writes them are surveys, with the values that pyarrow reads."""

import json
import shutil

import numpy as np
import pytest
from pyarrow import parquet

from fmb import DataError
from fmb_surveys.files.stores.store import open_store

FLUX = "1e-17 erg / (s cm2 Angstrom)"


def rows_of(tree):
    """Every row of a catalogue as Python values, by pyarrow alone, in the order of partitions."""
    files = sorted(
        tree.glob("dataset/Norder=*/Dir=*/Npix=*.parquet"),
        key=lambda p: [int(part.split("=")[1].split(".")[0]) for part in p.parts[-3:]],
    )
    return [row for file in files for row in parquet.ParquetFile(file).read().to_pylist()]


def test_spectra_are_those_of_pyarrow_bit_for_bit(trees, opened):
    survey = opened(trees / "sdss_spectra_hats", inputs={"spectrum": {"unit": FLUX}})
    rows = rows_of(trees / "sdss_spectra_hats" / "sdss_spectra")
    assert survey.ids.tolist() == [row["object_id"] for row in rows]
    assert np.array_equal(survey.catalog["ra"], [row["ra"] for row in rows])
    assert np.array_equal(survey.catalog["redshift"], [row["Z"] for row in rows])
    assert list(survey.catalog.columns) == ["ra", "dec", "redshift", "class"]
    order = np.arange(len(survey))[::-1]
    read = survey.read(order).inputs["spectrum"]
    masked = 0
    for got, at in enumerate(order):
        spectrum = {key: np.array(value) for key, value in rows[at]["spectrum"].items()}
        assert np.array_equal(read.flux[got], spectrum["flux"].astype("f4"))
        assert np.array_equal(read.ivar[got], spectrum["ivar"].astype("f4"))
        assert np.array_equal(read.wavelength_aa[got], spectrum["lambda"])
        bad = spectrum["mask"] | ~(spectrum["ivar"] > 0) | ~np.isfinite(spectrum["flux"])
        assert np.array_equal(read.mask[got], bad)
        masked += int(bad.sum())
    assert masked == int(read.mask.sum()) > 0


def test_images_have_the_bands_and_the_scale_that_the_columns_say(trees, opened):
    survey = opened(trees / "deep2_images_hats", inputs={"image": {"unit": "count/s"}})
    rows = rows_of(trees / "deep2_images_hats" / "deep2_images")
    info = survey.inputs["image"]
    assert info.bands == ("f606w-acs", "f814w-acs")
    assert info.pixel_scale_arcsec == 0.03
    read = survey.read(np.arange(len(survey))).inputs["image"]
    for at, row in enumerate(rows):
        assert np.array_equal(read.flux[at], np.array(row["image"]["flux"], dtype="f4"))
        assert np.array_equal(read.mask[at], np.array(row["image"]["mask"]))
        assert np.array_equal(read.psf_fwhm_arcsec[at], np.array(row["image"]["psf_fwhm"], "f4"))


def test_bands_in_another_order_or_spelling_are_put_in_the_declared_one(trees, opened):
    tree = trees / "deep2_images_hats"
    plain = opened(tree, inputs={"image": {"unit": "count/s"}})
    turned = opened(
        tree, inputs={"image": {"unit": "count/s", "bands": ["F814W-ACS", "F606W-ACS"]}}
    )
    rows = np.array([5, 20])
    one, other = (survey.read(rows).inputs["image"] for survey in (plain, turned))
    assert other.bands == ("F814W-ACS", "F606W-ACS")
    assert np.array_equal(other.flux, one.flux[:, ::-1])


def test_ids_of_nineteen_digits_stay_whole_numbers(trees, opened):
    survey = opened(trees / "deep2_spectra_hats", inputs={"spectrum": {"unit": "counts"}})
    assert survey.ids.dtype == np.int64
    rows = rows_of(trees / "deep2_spectra_hats" / "deep2_spectra")
    assert survey.ids.tolist() == [row["TARGETID"] for row in rows]


def test_what_was_taken_is_told(trees, opened):
    survey = opened(trees / "deep2_images_hats", inputs={"image": {"unit": "count/s"}})
    told = "\n".join(survey.described)
    for line in (
        "catalogue: deep2_images, by collection.properties; margins are not read",
        "ra: column 'ra'",
        "image: bands: f606w-acs, f814w-acs, by image/band of the first row",
        "image: pixel_scale_arcsec: 0.03, by image/scale",
        "image: mask: image/mask: True means bad",
    ):
        assert line in told


def test_a_run_ends_in_a_list(trees, fmb):
    tree = str(trees / "deep2_spectra_hats")
    words = ("--model", "astropt", "--weights", "tiny", "--detector", "gaussian")
    unit = ("--set", "data.inputs.spectrum.unit=counts", "--allow-out-of-domain")
    done = fmb("run", "--data", tree, *words, *unit, "--out", "hats", "--top", "3")
    assert done.exit_code == 0, done.output
    assert "the strangest of 24" in done.output


def test_what_is_not_said_is_asked_for_in_one_line(trees, fmb):
    done = fmb("data", "show", str(trees / "sdss_spectra_hats"))
    assert done.exit_code == 2
    assert done.stderr.strip().endswith("add --set data.inputs.spectrum.unit=UNIT")
    assert done.stderr.count("\n") == 1


def test_one_that_says_another_scale_than_the_file_is_told_so(trees, opened):
    said = {"unit": "count/s", "pixel_scale_arcsec": 0.05}
    with pytest.raises(DataError, match=r"image/scale' is 0.03 arcsec .* 0.05 by pixel_scale"):
        opened(trees / "deep2_images_hats", inputs={"image": said})


def test_partitions_are_read_once_when_rows_come_in_their_order(trees, monkeypatch):
    store = open_store(trees / "sdss_spectra_hats" / "sdss_spectra" / "dataset", "parquet")
    asked = []
    read = parquet.ParquetFile.read_row_group

    def counted(self, number, *args, **kwargs):
        asked.append((number, *kwargs["columns"]))
        return read(self, number, *args, **kwargs)

    monkeypatch.setattr(parquet.ParquetFile, "read_row_group", counted)
    for start in range(0, 60, 7):
        rows = np.arange(start, min(start + 7, 60))
        for name in ("spectrum/flux", "spectrum/mask"):
            store.read(name, rows)
    assert len(asked) == 2 * 13
    assert {columns for _, columns in asked} == {
        "spectrum.flux.list.element",
        "spectrum.mask.list.element",
    }


def test_objects_of_a_row_group_have_one_origin_which_changes_with_the_file(
    trees, opened, tmp_path
):
    tree = tmp_path / "tree"
    shutil.copytree(trees / "deep2_spectra_hats", tree)
    said = {"spectrum": {"unit": "counts"}}
    before = opened(tree, inputs=said).inputs["spectrum"].origin
    assert len(np.unique(before)) == 4
    touched = next(tree.glob("deep2_spectra/dataset/*/*/Npix=45702.parquet"))
    table = parquet.ParquetFile(touched).read()
    parquet.write_table(table, touched)
    after = opened(tree, inputs=said).inputs["spectrum"].origin
    assert (before != after).sum() == table.num_rows == 9


def ranked(fmb, data, out, *more):
    """Every object with its score, of a small run on images."""
    bands = ("--set", "model.astropt.bands=['f606w-acs','f814w-acs']", "--allow-out-of-domain")
    words = ("--model", "astropt", "--weights", "random", "--detector", "gaussian", *bands)
    done = fmb("run", "--data", data, *words, *more, "--out", out)
    assert done.exit_code == 0, done.output
    [rows] = json.loads(fmb("top", out, "-k", "28", "--json").stdout).values()
    return [(row["object_id"], row["score"]) for row in rows]


def test_an_indexed_tree_runs_to_the_list_of_the_tree(trees, fmb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tree, unit = str(trees / "deep2_images_hats"), ("--set", "data.inputs.image.unit=count/s")
    done = fmb("data", "index", tree, *unit, "--out", "di.toml")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1].split() == ["image", "28", "28", "0", "0", "0", "0"]
    found = ranked(fmb, "di.toml", "indexed")
    assert len(found) == 28
    assert found == ranked(fmb, tree, "tree", *unit)


def test_an_index_that_fails_leaves_the_folder_as_it_was(trees, fmb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tree, said = str(trees / "deep2_images_hats"), ("--set", "inputs.image.unit=count/s")
    wrong = ("--set", "inputs.image.mask=image/maks")
    done = fmb("data", "index", tree, *said, *wrong, "--out", "di.toml")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert [*tmp_path.glob("di*"), *tmp_path.glob(".di*")] == []
