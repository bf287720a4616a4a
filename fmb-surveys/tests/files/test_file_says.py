"""What HDF5 files say of their own numbers counts, and may not contradict the survey.toml."""

import h5py
import numpy as np
import pytest

from fmb import ConfigError, DataError, ShapeError
from fmb_surveys.files.stores.stacked_hdf5 import StackedHDF5

ALL = np.arange(6)


def say(files, dataset, **attributes):
    with h5py.File(files.folder / "data.h5", "a") as file:
        file[dataset].attrs.update(attributes)


def as_text(text):
    return [text, np.bytes_(text), np.array([text], dtype="S32"), np.array([text], dtype=object)]


STORED = [f"{order}{kind}" for order in "<>" for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4")]
REALS = [f"{order}f{size}" for order in "<>" for size in (2, 4, 8)]


@pytest.mark.parametrize("kind", [*STORED, "<u8", ">u8", *REALS])
def test_flux_of_every_type_is_the_stored_number_times_what_the_file_says(files, kind):
    rng = np.random.default_rng(3)
    stored = rng.integers(1, 100, files.arrays["image"].shape).astype(kind)
    files.arrays["image"] = stored
    files.write()
    plain = files.reopen().read(ALL).inputs["cam"].flux
    assert plain.dtype == np.float32
    assert np.array_equal(plain, stored.astype(np.float64).astype(np.float32))
    say(files, "image", scale_factor=3.631e-6, add_offset=0.25)
    meant = stored.astype(np.float64) * 3.631e-6 + 0.25
    assert np.array_equal(files.reopen().read(ALL).inputs["cam"].flux, meant.astype(np.float32))


@pytest.mark.parametrize("kind", ["f2", "i1", "u1", "i2"])
def test_a_scale_of_the_survey_file_is_no_product_in_the_stored_type(files, kind):
    stored = np.full(files.arrays["image"].shape, 100).astype(kind)
    files.arrays["image"] = stored
    files.cam["scale"] = 1000.0
    flux = files.open().read(ALL).inputs["cam"].flux
    assert np.array_equal(flux, np.full(stored.shape, 1e5, dtype=np.float32))


@pytest.mark.parametrize(
    ("names", "value"),
    [
        (("_FillValue",), -999.9),
        (("missing_value",), np.array([-999.9], dtype="f4")),
        (("BLANK",), -999.9),
        (("_FillValue", "missing_value"), -999.9),
    ],
)
def test_a_value_that_the_file_calls_missing_is_no_flux(files, names, value):
    files.arrays["image"][2, 1, 3, 4] = -999.9
    files.write()
    say(files, "image", **dict.fromkeys(names, value))
    flux = files.reopen().read(ALL).inputs["cam"].flux
    assert np.argwhere(np.isnan(flux)).tolist() == [[2, 1, 3, 4]]


def test_a_missing_value_of_the_survey_file_is_compared_as_the_file_stores_it(files):
    files.arrays["image"][2, 1, 3, 4] = -999.9  # in float32 another number than in TOML
    files.cam["missing"] = -999.9
    flux = files.open().read(ALL).inputs["cam"].flux
    assert np.argwhere(np.isnan(flux)).tolist() == [[2, 1, 3, 4]]


@pytest.mark.parametrize(("kind", "missing"), [("u1", -1.0), ("i2", 40000.0), ("i4", 0.5)])
def test_a_missing_value_that_cannot_be_stored_is_refused(files, kind, missing):
    files.arrays["image"] = np.ones(files.arrays["image"].shape, dtype=kind)
    files.cam["missing"] = missing
    with pytest.raises(DataError, match=r"missing = .* cannot stand in u?int\d+ data"):
        files.open()


@pytest.mark.parametrize("text", as_text("nanomaggy"))
def test_another_spelling_of_the_same_unit_is_no_contradiction(files, text):
    files.write()
    say(files, "image", unit=text)
    files.reopen()


@pytest.mark.parametrize(
    ("dataset", "attributes", "pattern"),
    [
        (
            "image",
            {"units": "uJy"},
            r"'image' is in 'uJy' by what the file says, in 'nmgy' by unit",
        ),
        ("image", {"UNIT": np.bytes_("mJy")}, r"'image' is in 'mJy'"),
        ("image", {"unit": np.array([b"Jy   "])}, r"'image' is in 'Jy'"),
        ("image", {"BUNIT": "Jy"}, r"'image' is in 'Jy'"),
        ("flux", {"unit": "erg / (s cm2 Angstrom)"}, r"'flux' is in 'erg / .* '1e-17 erg"),
        ("flux", {"unit": "m"}, r"'flux' is in 'm'"),
        ("ivar", {"unit": "nmgy"}, r"'ivar' is in 'nmgy' .* '\(1e-17 erg / .*\)\^-2' by unit"),
        ("wave", {"unit": "s"}, r"wavelength_unit 's' is not a length"),
        ("image", {"scale_factor": "much"}, r"'image': its attribute scale_factor is no number"),
        ("image", {"scale_factor": [1.0, 2.0]}, r"scale_factor is no single number"),
        ("image", {"add_offset": np.nan}, r"add_offset is no single number"),
        ("ra", {"unit": np.bytes_("m")}, r"'ra' is in 'm', which is no angle"),
        ("dec", {"unit": "hourangle"}, r"'dec' is in 'hourangle'; a declination is an angle"),
    ],
)
def test_a_contradiction_is_an_error_that_names_both(files, dataset, attributes, pattern):
    files.write()
    say(files, dataset, **attributes)
    with pytest.raises(DataError, match=pattern) as caught:
        files.reopen()
    assert "\n" not in str(caught.value)


def test_two_scales_are_an_error_and_one_said_twice_is_not(files):
    files.cam["scale"] = 1e-3
    files.write()
    say(files, "image", scale_factor=np.float32(1e-3))
    files.reopen()
    say(files, "image", scale_factor=1e-2)
    with pytest.raises(DataError, match=r"the scale 0\.01 by what the file says, 0\.001 by the"):
        files.reopen()


def test_two_units_of_wavelengths_are_an_error_and_one_of_the_file_is_taken(files):
    files.arrays["wave"] = files.arrays["wave"] / 10
    files.write()
    say(files, "wave", unit=np.bytes_("nm"))
    grid = files.reopen().read(ALL).inputs["spec"].wavelengths()
    assert np.allclose(grid, files.arrays["wave"] * 10, rtol=1e-12)
    files.spec["wavelength_unit"] = "um"
    files.write()
    say(files, "wave", unit="nm")
    with pytest.raises(DataError, match=r"'wave' is in 'nm' .* 'um' by wavelength_unit"):
        files.reopen()


def test_a_unit_that_nobody_knows_is_a_warning(files):
    files.write()
    say(files, "image", unit="instrumental, see paper")
    (told,) = files.reopen().warnings
    assert "units of survey.toml are taken" in told
    assert "'instrumental, see paper' (image)" in told


@pytest.mark.parametrize("unit", ["count", "adu", "electron / s", "detector counts", "DN"])
def test_counts_may_be_called_by_their_many_names(files, unit):
    files.cam["unit"] = "counts"
    files.write()
    say(files, "image", unit=unit)
    assert not files.reopen().warnings
    say(files, "image", unit="nmgy")
    with pytest.raises(DataError, match="'nmgy' by what the file says, in 'counts'"):
        files.reopen()


def test_a_mask_of_floats_counts_what_is_no_number_as_bad(files):
    good = np.ones((6, 40))
    good[1, 2], good[3, 4] = np.nan, 0
    files.arrays["good"] = good
    files.spec["good"] = "good"
    mask = files.open().read(ALL).inputs["spec"].mask
    assert np.argwhere(mask).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("unit", "per_unit"),
    [
        ("W / (m2 Angstrom)", 1e20),
        ("W / m3", 1e10),
        ("erg / (s cm2 Angstrom)", 1e17),
        ("W / (m2 um)", 1e16),
    ],
)
@pytest.mark.parametrize("known_by", ["ivar", "error"])
def test_fluxes_whose_variance_leaves_float32_are_read_in_a_convenient_unit(
    files, unit, per_unit, known_by
):
    flux, ivar = files.arrays["flux"].astype("f8"), files.arrays.pop("ivar").astype("f8")
    stored = ivar * per_unit**2
    files.arrays.update(flux=flux / per_unit, noise=stored if known_by == "ivar" else stored**-0.5)
    del files.spec["ivar"]
    files.spec.update({"unit": unit, known_by: "noise"})
    dataset = files.open()
    spectra = dataset.read(ALL).inputs["spec"]
    assert dataset.inputs["spec"].unit == spectra.unit == "1e-17 erg / (s cm2 Angstrom)"
    assert np.allclose(spectra.flux, flux, rtol=3e-7)
    assert np.allclose(spectra.ivar, ivar, rtol=3e-7)


def test_a_unit_of_ordinary_size_is_left_as_it_is(files):
    for unit in ("Jy", "mJy", "nJy", "nmgy", "1e-16 erg / (s cm2 Angstrom)"):
        files.cam["unit"] = unit
        assert files.open().inputs["cam"].unit == unit


def test_each_file_of_one_object_is_held_to_what_the_first_says(files, make_h5):
    for row in range(2):
        make_h5(files.folder / f"{row}.h5", {"image": files.arrays["image"][row]})
    (files.folder / "index.csv").write_text(
        "object_id,cam\n" + "".join(f"{files.arrays['id'][row]},{row}.h5\n" for row in range(2))
    )
    del files.toml["inputs"]["spec"]
    files.cam.update(files="index.csv")
    with h5py.File(files.folder / "0.h5", "a") as file:
        file["image"].attrs["scale_factor"] = 2.0
    with pytest.raises(DataError, match=r"1\.h5: 'image' has another unit, scale or missing value"):
        files.open().read(ALL)
    with h5py.File(files.folder / "1.h5", "a") as file:
        file["image"].attrs["scale_factor"] = 2.0
    flux = files.reopen().read(ALL).inputs["cam"].flux
    assert np.array_equal(flux, 2 * files.arrays["image"][:2])


@pytest.mark.parametrize("key", ["present", "id"])
def test_what_is_for_one_file_of_all_objects_is_refused_beside_a_file_each(files, key):
    files.cam.update({"files": "index.csv", key: "id"})
    with pytest.raises(Exception, match=f"give files or {key}, not both"):
        files.open()


def test_what_a_dataset_says_is_kept_for_reading(files):
    files.write()
    say(files, "image", scale_factor=2.0, unit=b"nmgy")
    told = StackedHDF5(files.folder / "data.h5").stated("image")
    assert (told.scale, told.unit, told.missing) == (2.0, "nmgy", ())


@pytest.mark.parametrize("fill", [9.96921e36, -99.0])
def test_a_missing_ivar_error_psf_or_wavelength_is_not_a_number(files, fill):
    for name in ("ivar", "wave"):
        files.arrays[name][2, 5] = fill
    files.arrays["psf"] = np.full((6, 2), 0.8, dtype=np.float32)
    files.arrays["psf"][1, 1] = fill
    files.cam["psf_fwhm"] = "psf"
    files.write()
    for name in ("ivar", "wave", "psf"):
        say(files, name, _FillValue=fill)
    batch = files.reopen().read(ALL).inputs
    assert batch["spec"].ivar[2, 5] == 0
    assert np.argwhere(batch["spec"].mask).tolist() == [[2, 5]]
    assert np.argwhere(np.isnan(batch["cam"].psf_fwhm_arcsec)).tolist() == [[1, 1]]
    files.spec.update(error="ivar")
    del files.spec["ivar"]
    files.write()
    say(files, "ivar", _FillValue=fill)
    assert files.reopen().read(ALL).inputs["spec"].ivar[2, 5] == 0


@pytest.mark.parametrize(
    ("kind", "fill"), [("i8", -9223372036854775806), ("u8", 18446744073709551614)]
)
def test_a_fill_value_beyond_the_floats_is_exact(files, kind, fill):
    files.arrays["count"] = np.arange(6).astype(kind)
    files.arrays["count"][5] = fill
    files.arrays["count"][4] = fill - 1 if kind == "u8" else fill + 1
    files.toml["catalog"]["columns"] = ["count"]
    files.write()
    say(files, "count", _FillValue=np.array(fill, dtype=kind))
    assert files.reopen().catalog["count"].isna().tolist() == [False] * 5 + [True]


def test_files_of_one_object_may_say_that_no_number_is_no_value(files, make_h5):
    for row in range(2):
        make_h5(files.folder / f"{row}.h5", {"image": files.arrays["image"][row]})
        with h5py.File(files.folder / f"{row}.h5", "a") as file:
            file["image"].attrs["_FillValue"] = np.float32(np.nan)
    lines = [f"{files.arrays['id'][row]},{row}.h5\n" for row in range(2)]
    (files.folder / "index.csv").write_text("object_id,cam\n" + "".join(lines))
    del files.toml["inputs"]["spec"]
    files.cam.update(files="index.csv")
    assert np.array_equal(files.open().read(ALL[:2]).inputs["cam"].flux, files.arrays["image"][:2])


def test_a_file_of_another_shape_is_named_whichever_objects_are_read(files, make_h5):
    for row in range(3):
        image = files.arrays["image"][row]
        turned = image.transpose(0, 2, 1) if row else image  # as many pixels
        make_h5(files.folder / f"{row}.h5", {"image": turned})
    lines = [f"{files.arrays['id'][row]},{row}.h5\n" for row in range(3)]
    (files.folder / "index.csv").write_text("object_id,cam\n" + "".join(lines))
    del files.toml["inputs"]["spec"]
    files.cam.update(files="index.csv")
    at = [files.arrays["id"].tolist().index(files.arrays["id"][row]) for row in (1, 2)]
    with pytest.raises(ShapeError, match=r"1\.h5: 'image' has shape \(2, 9, 8\), in .*0\.h5 it"):
        files.open().read(np.array(at))


def test_a_file_that_says_A_means_angstrom_and_a_survey_file_is_told_so(files):
    files.write()
    say(files, "wave", unit="A")
    say(files, "flux", unit="1e-17 erg/s/cm2/A")
    assert not files.reopen().warnings
    files.spec["unit"] = "1e-17 erg/s/cm2/A"
    with pytest.raises(ConfigError, match="for astropy A is the ampere; write Angstrom"):
        files.open()
