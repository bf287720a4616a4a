"""Every bad file or survey.toml: refused with one line that says what, where and what to do."""

import re

import h5py
import numpy as np
import pytest
import tomli_w

from fmb import DataError, FmbError
from fmb.files import find_dataset, open_file


def refuse(files, pattern: str) -> None:
    with pytest.raises(FmbError) as caught:
        files.reopen().read(np.arange(6))
    message = str(caught.value)
    assert re.search(pattern, message), message
    assert "\n" not in message
    assert caught.value.exit_code == 2


def drop_row(name):
    return lambda files: files.arrays.update({name: files.arrays[name][:-1]})


def put(name, value):
    return lambda files: files.arrays.update({name: value})


def twice(files):
    files.arrays["id"][3] = files.arrays["id"][1]


def unsorted(files):
    files.arrays["wave"] = files.arrays["wave"][0][::-1]


def empty(files):
    files.toml["catalog"]["columns"] = ["mag"]
    files.arrays = {name: value[:0] for name, value in files.arrays.items() if name != "kind"}


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        (drop_row("image"), r"data\.h5: 'image' has 5 rows, the catalogue has 6"),
        (drop_row("ivar"), r"'ivar' has shape \(5, 40\), 'flux' has \(6, 40\)"),
        (drop_row("wave"), r"'wave' has shape \(5, 40\), expected \(40,\) or \(6, 40\)"),
        (drop_row("ra"), r"column 'ra' has shape \(5,\) for 6 ids"),
        (twice, r"'id': 1 ids stand in more than one row, first 46\d+ \(rows 1, 3\)"),
        (empty, r"data\.h5: the catalogue is empty"),
        (put("image", np.zeros((6, 3, 8, 9))), r"expected \(n, 2, height, width\) for bands G, R"),
        (put("flux", np.zeros((6, 4, 10))), r"'flux' has shape .* expected \(n, pixels\)"),
        (unsorted, r"'wave': wavelengths are not positive and ascending; sort the pixels"),
        (put("wave", np.full(40, -1.0)), r"'wave': wavelengths are not positive and ascending"),
        (put("id", np.arange(6) + 0.5), r"'id': ids are floats, which lose digits"),
        (put("id", np.array([b"a", b"", b"c", b"d", b"e", b"f"])), r"the id in row 1 is missing"),
        (put("id", np.array([b"\xff", b"b", b"c", b"d", b"e", b"f"])), r"the id in row 0 is not"),
        (put("image", np.array([b"x"] * 6)), r"'/image' has type .*, expected numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(files, change, pattern):
    change(files)
    files.write()
    refuse(files, pattern)


def set_key(*path):
    *tables, key, value = path

    def change(toml):
        for table in tables:
            toml = toml[table]
        toml[key] = value

    return change


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(
    ("change", "keys", "pattern"),
    [
        (np.log10, {}, r"wave' holds 3\.60\d* to 3\.61\d*, which look like log10 .* as loglam"),
        (np.log10, {"wavelength_unit": "nm"}, r"which look like log10 of wavelengths"),
        (lambda aa: aa / 1e4, {}, r"wavelengths of 0\.4\d* to 0\.4\d* Angstrom, .*_unit = \"um\""),
        (
            lambda aa: aa,
            {"loglam": "wave"},
            r"loglam and holds numbers up to 40.*: declare it as w",
        ),
    ],
)
def test_wavelengths_that_cannot_be_what_they_are_declared_as_are_refused(
    files, shared, change, keys, pattern
):
    grid = files.arrays["wave"][0] if shared else files.arrays["wave"]
    files.arrays["wave"] = change(grid)
    if "loglam" in keys:
        del files.spec["wavelength"]
    files.spec.update(keys)
    files.write()
    refuse(files, pattern)


def test_micrometres_of_the_infrared_are_no_logarithms(files):
    files.arrays["wave"] = 3.5 + 0.01 * np.arange(40)
    files.spec["wavelength_unit"] = "um"
    assert files.open().inputs["spec"].wavelength_aa == pytest.approx((35_000, 38_900))


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        (set_key("nane", "x"), r"survey\.toml\.nane; did you mean 'name'"),
        (set_key("catalog", "decl", "x"), r"catalog\.decl; did you mean 'dec'"),
        (set_key("inputs", "cam", "band", "x"), r"inputs\.cam\.band; did you mean 'bands'"),
        (set_key("inputs", "cam", "kind", "image"), r"unknown kind 'image'; did you mean 'images'"),
        (set_key("inputs", "cam", "unit", "nmgyy"), r"inputs\.cam\.unit = 'nmgyy': astropy cannot"),
        (set_key("inputs", "spec", "error", "ivar"), r"inputs\.spec.*give ivar or error, not both"),
        (set_key("inputs", "spec", "loglam", "wave"), r"give either wavelength or loglam"),
        (set_key("inputs", "spec", "flux", "fluxx"), r"'fluxx' is not there; did you mean 'flux'"),
        (set_key("inputs", "spec", "wavelength_unit", "kg"), r"'kg' is not a length"),
        (set_key("inputs", "cam", "pixel_scale_arcsec", 0), r"pixel_scale_arcsec = 0: .*greater"),
        (set_key("inputs", "Cam 1", {}), r"inputs\.Cam 1: name an input in lower case"),
        (set_key("inputs", {}), r"has no inputs; add a table \[inputs\.NAME\]"),
        (set_key("catalog", "x"), r"has no table \[catalog\]"),
        (set_key("file", ""), r"catalog names no file; add file"),
        (set_key("file", "gone.h5"), r"gone\.h5: no such file"),
        (set_key("file", "."), r"expected an HDF5 file|is a folder"),
        (set_key("catalog", "columns", ["magg"]), r"'magg' is not there; did you mean 'mag'"),
        (set_key("catalog", "columns", "some"), r'columns is "all", a list of names'),
        (set_key("catalog", "units", {"mog": "mag"}), r"a unit is given for 'mog'.*'mag'"),
        (set_key("catalog", "units", {"ra": "m"}), r"'ra' is in 'm', which is no angle .* degrees"),
        (set_key("catalog", "file", "cat.parquet"), r"cat\.parquet: no such file"),
        (
            set_key("catalog", "roles", {"magntude": "mag"}),
            r"catalog.*no column can be 'magntude'; did you mean 'magnitude'",
        ),
        (
            set_key("catalog", "roles", {"magnitude": "mog"}),
            r"catalog\.roles\.magnitude names no column 'mog'; did you mean 'mag'",
        ),
    ],
)
def test_a_survey_file_that_is_wrong_is_refused(files, change, pattern):
    change(files.toml)
    files.write()
    refuse(files, pattern)


def test_a_missing_key_is_named(files):
    del files.cam["bands"]
    files.write()
    refuse(files, r"inputs\.cam\.bands must be given")


def test_text_that_is_no_toml_is_refused(files):
    files.write()
    (files.folder / "survey.toml").write_text("name = ")
    refuse(files, r"survey\.toml: not valid TOML")


def test_a_folder_without_survey_file_is_refused(files):
    refuse(files, r"survey\.toml: no such file; a survey is described by a survey\.toml")


def test_a_truncated_file_is_refused(files):
    files.write()
    path = files.folder / "data.h5"
    path.write_bytes(path.read_bytes()[:-1000])
    refuse(files, r"data\.h5: the HDF5 file is cut short; copy it again")


def test_a_file_that_is_not_hdf5_is_refused(files):
    files.write()
    (files.folder / "data.h5").write_text("SIMPLE  =                    T" * 100)
    refuse(files, r"data\.h5: not an HDF5 file")


def test_a_file_without_read_permission_is_refused(files, monkeypatch):
    files.write()

    def denied(*args, **kwargs):  # the user who runs the tests may be allowed everything
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(h5py, "File", denied)
    refuse(files, r"data\.h5: no permission to read it")


def test_a_damaged_chunk_is_named(files):
    files.write()
    with h5py.File(files.folder / "data.h5", "r+") as file:
        del file["flux"]
        made = file.create_dataset(
            "flux", data=files.arrays["flux"], chunks=(6, 40), fletcher32=True
        )
        offset = made.id.get_chunk_info(0).byte_offset
    with (files.folder / "data.h5").open("r+b") as stream:
        stream.seek(offset)
        stream.write(b"\x00\x01\x02\x03")
    refuse(files, r"data\.h5: '/flux' is damaged")


def test_a_dataset_that_was_declared_but_never_written_is_refused(tmp_path):
    path = tmp_path / "huge.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("never", (10**6, 40_000), "f4", chunks=(1, 40_000))
        some = file.create_dataset("hardly", (10**6, 40_000), "f4", chunks=(1, 40_000))
        some[0] = 1.0
    assert path.stat().st_size < 10**6
    with open_file(path) as file:
        for name in ("never", "hardly"):
            with pytest.raises(DataError, match=f"{name}' declares 160000000000 bytes but the"):
                find_dataset(file, name)


def test_an_ordinary_mask_that_packs_well_is_accepted(tmp_path):
    path = tmp_path / "mask.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("mask", data=np.zeros((20_000, 4000), dtype=bool), compression="gzip")
    with open_file(path) as file:
        assert find_dataset(file, "mask").shape == (20_000, 4000)


def test_a_filter_plugin_is_not_loaded(tmp_path):
    path = tmp_path / "filtered.h5"
    with h5py.File(path, "w") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((4,))
        # 32001 is blosc; optional, so that the file can be made without it.
        plist.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple((4,))
        made = h5py.h5d.create(file.id, b"flux", h5py.h5t.NATIVE_FLOAT, space, plist)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ones(4, dtype="f4"))
    with open_file(path) as file, pytest.raises(DataError, match=r"filter plugin 32001 .*h5repack"):
        find_dataset(file, "flux")


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("TARGETID,RA\n1,2\n,3\n", "the id in row 1 is missing"),
        ("TARGETID,RA\n1,2\n1.5e3,3\n1,2\n", "'TARGETID': 1 ids stand in more than one row"),
        ("ID,RA\n1,2\n", "no column is called 'TARGETID'; "),
        ("TARGETID,RA\n1,2,3\n", "cannot be read as .csv"),
    ],
)
def test_a_bad_table_is_refused(files, text, pattern):
    (files.folder / "cat.csv").write_text(text)
    files.toml["catalog"] = {"file": "cat.csv", "id": "TARGETID"}
    files.write()
    refuse(files, pattern)


def test_float_ids_of_a_table_are_refused(files):
    import pandas as pd

    pd.DataFrame({"TARGETID": [1.0, 2.0]}).to_parquet(files.folder / "cat.parquet")
    files.toml["catalog"] = {"file": "cat.parquet", "id": "TARGETID"}
    files.write()
    refuse(files, "'TARGETID': ids are floats")
    pd.DataFrame({"TARGETID": pd.array([1, None], dtype="Int64")}).to_parquet(
        files.folder / "cat.parquet"
    )
    refuse(files, "'TARGETID': 1 ids are missing, first in row 1")


def test_one_message_each_names_the_place(files):
    files.write()
    (files.folder / "survey.toml").write_text(tomli_w.dumps(files.toml | {"x": 1, "y": 2}))
    refuse(files, r"unknown key .*survey\.toml\.x.*; unknown key .*survey\.toml\.y")
