"""HDF5 trees of the Multimodal Universe, made here as its documentation says."""

import pickle
import re

import h5py
import numpy as np
import pytest

from fmb import FmbError, build
from fmb_surveys.trees.mmu import MMUConfig, open_mmu

RNG = np.random.default_rng(8)
PARTS = {"healpix=1107": 3, "healpix=94": 2}
"""Folder of a part of the sky -> its objects; read by their numbers, 94 first."""


def legacysurvey(n: int) -> dict:
    """Cutouts of four bands of a Legacy Survey configuration."""
    return {
        "object_id": np.array(
            [f"{RNG.integers(10**6):06d}p{r}-{r}" for r in range(n)], dtype="S16"
        ),
        "ra": RNG.uniform(0, 360, n),
        "dec": RNG.uniform(-90, 30, n),
        "healpix": np.full(n, 3),
        "EBV": RNG.uniform(0, 0.1, n).astype(np.float32),
        "FLUX_R": RNG.uniform(1, 9, n).astype(np.float32),
        "SHAPE_R": RNG.uniform(1, 2, n).astype(np.float32),
        "TYPE": np.array(["SER", "EXP", "REX"][:n], dtype="S3"),
        "image_band": np.tile(np.array([b"des-g", b"des-r", b"des-i", b"des-z"]), (n, 1)),
        "image_array": RNG.normal(size=(n, 4, 6, 6)).astype(np.float32),
        "image_ivar": RNG.uniform(1, 2, (n, 4, 6, 6)).astype(np.float32),
        "image_mask": RNG.random((n, 6, 6)) < 0.8,
        "image_psf_fwhm": RNG.uniform(1, 2, (n, 4)),
        "image_scale": np.full((n, 4), 0.262, dtype=np.float32),
        "catalog_FLUX_R": np.zeros((n, 20), dtype=np.float32),
    }


def sdss(n: int) -> dict:
    """Spectra of a survey of SDSS: each file padded to its longest."""
    width, short = 10 + 2 * n, 9
    wave = np.tile(10 ** (3.58 + 1e-4 * np.arange(width)), (n, 1)).astype(np.float32)
    flux = RNG.normal(size=(n, width)).astype(np.float32)
    ivar = RNG.uniform(1, 2, (n, width)).astype(np.float32)
    mask = RNG.random((n, width)) < 0.1
    wave[0, short:], ivar[0, short:], mask[0, short:] = -1, 0, True
    flux[0, short:] = flux[0, short - 1]
    return {
        "object_id": np.array([f"{2**62 + RNG.integers(2**60)}  " for _ in range(n)], dtype="S22"),
        "ra": RNG.uniform(0, 360, n),
        "dec": RNG.uniform(-90, 90, n),
        "Z": RNG.uniform(0, 1, n).astype(np.float32),
        "VDISP": RNG.uniform(90, 200, n).astype(np.float32),
        "SPECTROFLUX": RNG.uniform(size=(n, 5)).astype(np.float32),
        "spectrum_flux": flux,
        "spectrum_ivar": ivar,
        "spectrum_lambda": wave,
        "spectrum_mask": mask,
        "spectrum_lsf_sigma": np.ones((n, width), dtype=np.float32),
    }


def desi(n: int) -> dict:
    """Spectra of DESI: one grid, repeated in every row; ids are whole numbers."""
    made = sdss(n) | {"object_id": 39_633_345_008_634_465 + RNG.integers(1, 10**9, n)}
    width = made["spectrum_flux"].shape[1]
    made["spectrum_lambda"] = np.tile(3600 + 0.8 * np.arange(30, dtype=np.float32), (n, 1))
    for name in ("flux", "ivar", "mask", "lsf_sigma"):
        values = made[f"spectrum_{name}"]
        made[f"spectrum_{name}"] = np.pad(values, ((0, 0), (0, 30 - width)), mode="edge")
    made["FIBERFLUX_R"] = made.pop("VDISP")
    del made["SPECTROFLUX"]
    return made


@pytest.fixture
def tree(tmp_path):
    """Writes a tree and gives its folder and the content of its files in the order of rows."""

    def tree(kind, name="dr10_south_21"):
        parts = {folder: kind(n) for folder, n in PARTS.items()}
        for folder, arrays in parts.items():
            path = tmp_path / "tree" / name / folder / "001-of-001.hdf5"
            path.parent.mkdir(parents=True)
            with h5py.File(path, "w") as file:
                for key, values in arrays.items():
                    packed = {"compression": "gzip", "chunks": True}
                    file.create_dataset(key, data=values, **packed)
        return tmp_path / "tree", [parts["healpix=94"], parts["healpix=1107"]]

    return tree


def opened(folder, **settings):
    config = build(MMUConfig, settings, "data")
    return open_mmu(str(folder), config, cache=folder.parent / "cache")


def rows_of(parts, name):
    return np.concatenate([part[name] for part in parts])


def texts(stored):
    return [text.decode().strip() for text in stored]


def test_images_are_those_of_the_files_part_after_part(tree):
    folder, parts = tree(legacysurvey)
    dataset = opened(folder)
    assert dataset.ids.tolist() == texts(rows_of(parts, "object_id"))
    rows = np.array([4, 0, 2, 4])
    found = dataset.read(rows).inputs["legacysurvey"]
    assert np.array_equal(found.flux, rows_of(parts, "image_array")[rows])
    assert np.array_equal(found.ivar, rows_of(parts, "image_ivar")[rows])
    expected = rows_of(parts, "image_psf_fwhm")[rows].astype(np.float32)
    assert np.array_equal(found.psf_fwhm_arcsec, expected)
    assert (found.unit, found.pixel_scale_arcsec) == ("nmgy", 0.262)
    assert found.bands == ("DES-G", "DES-R", "DES-I", "DES-Z")
    told = " ".join(dataset.described)
    for what in ("image_band", "0.262 arcsec: image_scale", "unit nmgy: documented", "are good wh"):
        assert what in told


def test_pixels_of_the_legacy_survey_are_bad_in_all_bands_where_its_mask_is_false(tree):
    folder, parts = tree(legacysurvey)
    mask = opened(folder).read(np.arange(5)).inputs["legacysurvey"].mask
    assert np.array_equal(mask, np.repeat(~rows_of(parts, "image_mask")[:, None], 4, axis=1))
    assert 0 < mask.sum() < mask.size


def test_the_catalogue_has_every_column_of_one_value_with_its_documented_unit(tree):
    folder, parts = tree(legacysurvey)
    dataset = opened(folder)
    catalog = dataset.catalog
    assert np.array_equal(catalog["ra"], rows_of(parts, "ra"))
    assert np.array_equal(catalog["FLUX_R"], rows_of(parts, "FLUX_R"))
    assert catalog["TYPE"].tolist() == texts(rows_of(parts, "TYPE"))
    assert catalog.attrs["units"]["FLUX_R"] == "nmgy"
    assert catalog.attrs["roles"] == {"ebv": "EBV", "size": "SHAPE_R"}
    assert "several values each: catalog_FLUX_R" in " ".join(dataset.described)


def test_spectra_of_files_of_other_lengths_are_padded_and_the_padding_is_bad(tree):
    folder, parts = tree(sdss, "boss")
    dataset = opened(folder)
    found = dataset.read(np.arange(5)).inputs["sdss"]
    assert dataset.inputs["sdss"].shape == (16,)  # 10 + 2 x 3 objects of the larger file
    at = 0
    for part in parts:
        for row in range(len(part["ra"])):
            width = part["spectrum_flux"].shape[1]
            assert np.array_equal(found.flux[at, :width], part["spectrum_flux"][row])
            assert np.array_equal(found.ivar[at, :width], part["spectrum_ivar"][row])
            assert np.array_equal(found.wavelength_aa[at, :width], part["spectrum_lambda"][row])
            assert np.array_equal(found.mask[at, :width], part["spectrum_mask"][row])
            assert np.isnan(found.flux[at, width:]).all()
            assert found.mask[at, width:].all()
            assert (found.ivar[at, width:] == 0).all()
            at += 1
    assert found.unit == "1e-17 erg / (s cm2 Angstrom)"
    assert dataset.ids.tolist() == texts(rows_of(parts, "object_id"))
    assert np.array_equal(dataset.catalog["redshift"], rows_of(parts, "Z"))
    low, high = dataset.inputs["sdss"].wavelength_aa
    assert (low, high) == pytest.approx((10**3.58, 10 ** (3.58 + 15e-4)), rel=1e-6)


def test_ids_of_desi_keep_their_17_digits(tree):
    folder, parts = tree(desi, "dr1_main")
    dataset = opened(folder)
    assert dataset.ids.dtype == np.int64
    assert np.array_equal(dataset.ids, rows_of(parts, "object_id"))
    assert np.array_equal(
        dataset.read(np.arange(5)).inputs["desi"].flux, rows_of(parts, "spectrum_flux")
    )


def test_a_dataset_of_many_files_is_sent_to_another_process(tree):
    folder, parts = tree(legacysurvey)
    sent = pickle.loads(pickle.dumps(opened(folder)))
    flux = sent.read(np.array([3])).inputs["legacysurvey"].flux
    assert np.array_equal(flux, rows_of(parts, "image_array")[[3]])


def test_a_part_that_is_added_leaves_the_origins_of_the_others(tree):
    folder, _ = tree(legacysurvey)
    before = opened(folder).inputs["legacysurvey"].origin
    added = folder / "dr10_south_21" / "healpix=1" / "001-of-001.hdf5"
    added.parent.mkdir()
    with h5py.File(added, "w") as file:
        for key, values in legacysurvey(1).items():
            file[key] = values
    after = opened(folder).inputs["legacysurvey"].origin
    assert len(set(after.tolist())) == 6
    assert np.array_equal(after[1:], before)  # the new part is the first by its number


def open_files():
    return h5py.h5f.get_obj_count(h5py.h5f.OBJ_ALL, h5py.h5f.OBJ_FILE)


def test_more_files_than_stay_open_are_read(tree, monkeypatch):
    from fmb_surveys.files.stores import partitioned_hdf5

    monkeypatch.setattr(partitioned_hdf5, "OPEN_FILES", 1)
    folder, parts = tree(legacysurvey)
    rows, before = np.array([0, 4, 1, 3, 2]), open_files()
    dataset = opened(folder)
    flux = dataset.read(rows).inputs["legacysurvey"].flux
    assert np.array_equal(flux, rows_of(parts, "image_array")[rows])
    assert open_files() - before <= 1


def hsc(n):
    made = legacysurvey(n)
    made["image_band"] = np.tile(np.array([b"hsc-g", b"hsc-r", b"hsc-i", b"hsc-z"]), (n, 1))
    made["image_mask"] = np.repeat(made["image_mask"][:, None], 4, axis=1)
    return made


def test_what_is_not_documented_of_hsc_has_to_be_said(tree):
    folder, parts = tree(hsc, "pdr3_dud_22.5")
    assert "add --set data.inputs.hsc.unit=UNIT" in refused(folder)
    said = {"unit": "0.0158489 nmgy"}  # zero point 27
    assert "what 'image_mask' means is not documented for hsc" in refused(folder, hsc=said)
    dataset = opened(folder, inputs={"hsc": said | {"mask": "image_mask"}})
    mask = dataset.read(np.arange(5)).inputs["hsc"].mask
    assert np.array_equal(mask, rows_of(parts, "image_mask"))


def refused(folder, **inputs) -> str:
    with pytest.raises(FmbError) as caught:
        whole(folder, inputs)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


def whole(folder, inputs):
    dataset = opened(folder, inputs=inputs)
    return dataset.read(np.arange(len(dataset)))


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
