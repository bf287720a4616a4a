"""HDF5 trees of the Multimodal Universe, made here as its documentation says."""

import pickle

import h5py
import numpy as np
import pytest
from mmu_trees import desi, hsc, legacysurvey, opened, refused, rows_of, sdss, texts


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


def test_what_is_not_documented_of_hsc_has_to_be_said(tree):
    folder, parts = tree(hsc, "pdr3_dud_22.5")
    assert "add --set data.inputs.hsc.unit=UNIT" in refused(folder)
    said = {"unit": "0.0158489 nmgy"}  # zero point 27
    assert "what 'image_mask' means is not documented for hsc" in refused(folder, hsc=said)
    dataset = opened(folder, inputs={"hsc": said | {"mask": "image_mask"}})
    mask = dataset.read(np.arange(5)).inputs["hsc"].mask
    assert np.array_equal(mask, rows_of(parts, "image_mask"))
