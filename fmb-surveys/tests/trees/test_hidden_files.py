"""Files and folders whose names begin with a dot are no data, in a tree of any kind."""

import shutil

import h5py
import numpy as np
import pytest
from astropy.io import fits
from PIL import Image
from sdss_files import write_spectrum

from fmb.datasets import open_dataset


def sdss(folder):
    return [write_spectrum(folder, fiber) for fiber in (1, 2)], {}


def cutouts(folder):
    folder.mkdir()
    header = {"FILTER": "g", "BUNIT": "nanomaggy"}
    paths = [folder / f"{name}.fits" for name in (1, 2)]
    for path in paths:
        fits.PrimaryHDU(np.ones((4, 4), dtype="f4"), fits.Header(header)).writeto(path)
    return paths, {"inputs": {"cutouts": {"pixel_scale_arcsec": 0.25}}}


def pictures(folder):
    folder.mkdir()
    paths = [folder / f"{name}.png" for name in (1, 2)]
    for path in paths:
        Image.fromarray(np.full((4, 4, 3), 9, dtype=np.uint8)).save(path)
    return paths, {"inputs": {"images": {"pixel_scale_arcsec": 0.25}}}


def multimodal(folder):
    paths = [folder / f"healpix={at}" / "001-of-001.hdf5" for at in (1, 2)]
    for at, path in enumerate(paths):
        path.parent.mkdir(parents=True)
        with h5py.File(path, "w") as file:
            file["object_id"] = [at]
            file["image_array"] = np.ones((1, 1, 4, 4), dtype=np.float32)
            file["image_band"], file["image_scale"] = [[b"des-g"]], [[0.25]]
    return paths, {}


@pytest.mark.parametrize("tree", [sdss, cutouts, pictures, multimodal])
def test_hidden_files_and_folders_are_no_data(tree, tmp_path):
    paths, said = tree(tmp_path / "tree")
    plain = open_dataset(str(tmp_path / "tree"), settings=said, cache=tmp_path / "c")
    paths[0].with_name(f"._{paths[0].name}").write_bytes(b"left by a copy")
    (tmp_path / "tree" / "._t.parquet").write_bytes(b"left by a copy")
    trash = tmp_path / "tree" / ".trash"
    for path in (paths[1], paths[1].parent / "healpix=7" / paths[1].name):
        place = trash / path.relative_to(tmp_path / "tree")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(paths[1], place)
    again = open_dataset(str(tmp_path / "tree"), settings=said, cache=tmp_path / "c")
    assert again.ids.tolist() == plain.ids.tolist()
    assert len(plain) == 2
    assert again.inputs.keys() == plain.inputs.keys()


def test_a_folder_is_not_of_the_kind_that_its_trash_is_of(tmp_path):
    _, said = cutouts(tmp_path / "tree")
    write_spectrum(tmp_path / "tree" / ".trash", 1)
    survey = open_dataset(str(tmp_path / "tree"), settings=said, cache=tmp_path / "c")
    assert survey.ids.tolist() == [1, 2]
    assert list(survey.inputs) == ["cutouts"]
