"""Trees of the Multimodal Universe that are broken, or contradict what a user says of them."""

import re

import h5py
import numpy as np
import pytest
from mmu_trees import legacysurvey, opened, refused, rows_of, sdss, texts

from fmb import FmbError


def edited(change):
    """Change the file of the second part, which is read last."""

    def edit(folder):
        [path] = folder.glob("*/healpix=1107/*.hdf5")
        with h5py.File(path, "r+") as file:
            change(file)

    return edit


def put(name, make):
    def change(file):
        old = file[name][()]
        del file[name]
        if (new := make(old)) is not None:
            file[name] = new

    return edited(change)


def on_file(change):
    def edit(folder):
        [path] = folder.glob("*/healpix=1107/*.hdf5")
        change(path)

    return edit


def attribute(name, key, value):
    return edited(lambda file: file[name].attrs.__setitem__(key, value))


def cut(path):
    path.write_bytes(path.read_bytes()[:-2000])


def linked(path):
    path.unlink()
    path.symlink_to(path)


def external(file):
    del file["image_array"]
    file["image_array"] = h5py.ExternalLink("other.hdf5", "/image_array")


def flipped(bands):
    return bands[:, ::-1]


BROKEN = {
    "cut short": (on_file(cut), "the HDF5 file is cut short; copy it again"),
    "empty": (on_file(lambda path: path.write_bytes(b"")), "not an HDF5 file"),
    "text": (on_file(lambda path: path.write_text("none")), "not an HDF5 file"),
    "a loop of links": (on_file(linked), "Too many levels of symbolic links"),
    "a folder": (on_file(lambda path: (path.unlink(), path.mkdir())), "is a folder, expected an"),
    "no ids": (put("object_id", lambda old: None), "'object_id' is not there"),
    "float ids": (put("object_id", lambda old: np.arange(3.0)), "ids are floats, which lose"),
    "an id twice": (put("object_id", lambda old: old[[0, 0, 1]]), "1 ids stand in more than one"),
    "an empty id": (
        put("object_id", lambda old: np.array([b"", b"b", b"c"])),
        "id in row 2 is",
    ),
    "no images": (put("image_array", lambda old: None), "'image_array' is not there"),
    "images of text": (put("image_array", lambda old: np.array([b"a"] * 3)), "expected numbers"),
    "fewer images": (
        put("image_array", lambda old: old[:2]),
        r"has shape \(2, 4, 6, 6\)",
    ),
    "fewer bands": (put("image_array", lambda old: old[:, :3]), r"has shape \(3, 3, 6, 6\)"),
    "smaller images": (put("image_array", lambda old: old[..., :5]), r"has shape \(3, 4, 6, 5\)"),
    "smaller ivar": (put("image_ivar", lambda old: old[..., :5]), "'image_ivar' has shape"),
    "no mask": (put("image_mask", lambda old: None), "'image_mask' is not there"),
    "bands in another order": (put("image_band", flipped), "'image_band' differs between objects"),
    "another pixel scale": (put("image_scale", lambda old: old * 2), "'image_scale' d"),
    "a scale a band": (
        put("image_scale", lambda old: old * [[1, 1, 1, 2]]),
        "'image_scale' d",
    ),
    "another unit": (attribute("image_array", "unit", "nJy"), "has another unit, scale or missing"),
    "a factor": (
        attribute("image_array", "scale_factor", 2.0),
        "has another unit",
    ),
    "a column less": (put("EBV", lambda old: None), "'EBV' is not there"),
    "a column too short": (
        put("EBV", lambda old: old[:2]),
        r"'EBV' has shape \(2,\) for",
    ),
    "another file's data": (edited(external), "is a link into another file, which FMB does not"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_one_broken_part_is_one_line_that_names_it(tree, kind):
    folder, _ = tree(legacysurvey)
    change, pattern = BROKEN[kind]
    change(folder)
    told = refused(folder)
    assert re.search(pattern, told), told
    assert "dr10_south_21" in told


ALIKE = {"an id twice", "an empty id", "float ids"}
"""What is wrong with the ids or kinds of one part is told of the survey."""


@pytest.mark.parametrize("kind", [kind for kind in BROKEN if kind not in ALIKE])
def test_one_broken_part_may_be_skipped_and_is_named_while_the_rest_is_right(tree, kind):
    folder, parts = tree(legacysurvey)
    third = folder / "dr10_south_21" / "healpix=95" / "001-of-001.hdf5"
    third.parent.mkdir()
    more = legacysurvey(2)
    with h5py.File(third, "w") as file:
        for key, values in more.items():
            file[key] = values
    BROKEN[kind][0](folder)
    dataset = opened(folder, skip_bad=True)
    [line] = [line for line in dataset.warnings if line.startswith("part left out: ")]
    assert "healpix=1107" in line
    flux = dataset.read(np.arange(4)).inputs["legacysurvey"].flux
    assert np.array_equal(flux, rows_of([parts[0], more], "image_array"))
    assert dataset.ids.tolist() == texts(rows_of([parts[0], more], "object_id"))


def test_a_tree_of_broken_parts_only_is_refused(tree):
    folder, _ = tree(legacysurvey)
    for path in folder.glob("*/*/*.hdf5"):
        cut(path)
    with pytest.raises(FmbError, match=r"every part is broken, the first by this: .*94.*cut short"):
        opened(folder, skip_bad=True)


@pytest.mark.parametrize(
    ("inputs", "pattern"),
    [
        ({"legacysurvey": {"pixel_scale_arcsec": 0.3}}, "'image_scale' is 0.262 arcsec, 0.3 by"),
        ({"legacysurvey": {"bands": ["G"]}}, "good lists 4 arrays for 1 bands"),
        ({"legacysurvey": {"ivarr": "a"}}, "did you mean 'ivar'"),
        ({"legacysurvey": {"flux": "image_aray"}}, "did you mean 'image_array'"),
    ],
)
def test_what_the_user_says_against_the_files_is_one_line(tree, inputs, pattern):
    folder, _ = tree(legacysurvey)
    assert re.search(pattern, told := refused(folder, **inputs)), told


def test_spectra_without_a_documented_unit_have_to_be_given_one(tree):
    def unknown(n):
        made = sdss(n)
        return {k: v for k, v in made.items() if k != "SPECTROFLUX"}

    folder, _ = tree(unknown, "vipers_w1")
    assert "add --set data.inputs.spectra.unit=UNIT" in refused(folder)
    unit = "1e-17 erg / (s cm2 Angstrom)"
    assert list(opened(folder, inputs={"vipers": {"unit": unit}}).inputs) == ["vipers"]


def test_of_several_configurations_the_user_names_one(tree):
    folder, _ = tree(legacysurvey)
    other = folder / "dr10_south_22"
    other.mkdir()
    (folder / "dr10_south_21" / "healpix=94").rename(other / "healpix=94")
    assert f"holds dr10_south_21, dr10_south_22; give one of them, as {folder}" in refused(folder)
    assert len(opened(other)) == 2
