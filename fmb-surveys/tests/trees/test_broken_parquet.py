"""Trees of Parquet that something is wrong with: each is refused in one line that names it."""

import os
import shutil
import stat

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from fmb import ConfigError, DataError, FmbError, ShapeError

FLUX = "1e-17 erg / (s cm2 Angstrom)"
SPECTRUM = {"spectrum": {"unit": FLUX}}
N, PIXELS = 6, 5


def column(values, **metadata):
    return pa.array(values), {k.encode(): v.encode() for k, v in metadata.items()}


def spectrum(**fields):
    """A struct of lists; a field may be a pair of values and metadata."""
    grid = np.tile(np.linspace(4000, 5000, PIXELS), (N, 1))
    sound = {"flux": np.ones((N, PIXELS)).tolist(), "ivar": np.ones((N, PIXELS)).tolist()}
    made = {**sound, "lambda": grid.tolist(), **fields}
    arrays, kinds = [], []
    for name, value in made.items():
        if value is None:
            continue
        values, said = value if isinstance(value, tuple) else column(value)
        arrays.append(values)
        kinds.append(pa.field(name, values.type, metadata=said or None))
    return pa.StructArray.from_arrays(arrays, fields=kinds)


def image(flux=None, **fields):
    cube = np.ones((N, 2, 3, 3)).tolist() if flux is None else flux
    made = {"band": [["g", "r"]] * N, "flux": cube, "scale": [[0.25, 0.25]] * N, **fields}
    return pa.StructArray.from_arrays([pa.array(v) for v in made.values()], list(made))


def table(**columns):
    made = {"object_id": np.arange(N), "ra": np.arange(N) * 1.0, "dec": np.arange(N) * 1.0}
    return pa.table(
        {k: v for k, v in {**made, "spectrum": spectrum(), **columns}.items() if v is not None}
    )


def ragged(length):
    values = np.ones((N, PIXELS)).tolist()
    values[4] = [1.0] * length
    return values


TABLES = {
    "other unit than said": (
        {"spectrum": spectrum(flux=column(np.ones((N, PIXELS)).tolist(), unit="Jy"))},
        r"'spectrum/flux' is in 'Jy' by what the file says, in '1e-17",
    ),
    "unit that is no wavelength": (
        {"spectrum": spectrum(**{"lambda": column(np.ones((N, PIXELS)).tolist(), unit="s")})},
        r"wavelength_unit 's' is not a length",
    ),
    "ivar in another unit": (
        {"spectrum": spectrum(ivar=column(np.ones((N, PIXELS)).tolist(), unit="Jy"))},
        r"'spectrum/ivar' is in 'Jy'",
    ),
    "scale that is no number": (
        {"spectrum": spectrum(flux=column(np.ones((N, PIXELS)).tolist(), scale_factor="much"))},
        r"attribute scale_factor is no number",
    ),
    "no ids": ({"object_id": None}, r"--set data.catalog.id=COLUMN"),
    "ids through floats": ({"object_id": np.arange(N) * 1.0}, r"'object_id'.*float"),
    "duplicate ids": ({"object_id": [1, 2, 2, 4, 5, 6]}, r"'object_id'.* 2 "),
    "ids that are missing": (
        {"object_id": [1, None, 3, 4, 5, 6]},
        r"1 ids are missing, first in row 1",
    ),
    "no input": ({"spectrum": None}, r"no column holds images or spectra"),
    "no wavelengths": (
        {"spectrum": spectrum(**{"lambda": None})},
        r"no column holds images or spectra",
    ),
    "flux of words": (
        {"spectrum": spectrum(flux=[["a"] * PIXELS] * N)},
        r"'spectrum/flux' holds string, expected numbers",
    ),
    "longer ivar than flux": (
        {"spectrum": spectrum(ivar=ragged(PIXELS + 1))},
        r"'spectrum/ivar' has a list of 6 where shape \(5,\) has 5; set pixels = 6 or more",
    ),
    "images of two sizes": (
        {
            "spectrum": None,
            "image": image([np.ones((2, 3, 3)).tolist()] * 5 + [np.ones((2, 3, 4)).tolist()]),
        },
        r"'image/flux' has a list of 4 where shape \(2, 3, 3\) has 3",
    ),
    "another band in one row": (
        {"spectrum": None, "image": image(band=[["g", "r"]] * 5 + [["g", "i"]])},
        r"'image/band' names the band 'i', not among g, r",
    ),
    "two pixel scales": (
        {"spectrum": None, "image": image(scale=[[0.25, 0.3]] * N)},
        r"'image/scale': pixels of 0.25 to 0.3 arcsec",
    ),
    "more bands in one row": (
        {
            "spectrum": None,
            "image": image([np.ones((2, 3, 3)).tolist()] * 5 + [np.ones((3, 3, 3)).tolist()]),
        },
        r"'image/flux' has a list of 3 where shape",
    ),
}


def read_all(opened, source, **said):
    survey = opened(source, **{"inputs": SPECTRUM, **said})
    survey.read(np.arange(len(survey)))
    return survey


@pytest.mark.parametrize("kind", sorted(TABLES))
def test_a_table_that_is_wrong_is_refused_by_what_is_wrong(kind, tmp_path, opened):
    columns, told = TABLES[kind]
    parquet.write_table(table(**columns), tmp_path / "t.parquet")
    said = {"image": {"unit": "nmgy"}} if "image" in columns else SPECTRUM
    with pytest.raises((DataError, ShapeError), match=told) as error:
        read_all(opened, tmp_path / "t.parquet", inputs=said)
    assert "\n" not in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_nanometres_that_the_file_declares_are_read_as_such(tmp_path, opened):
    grid = np.tile(np.linspace(400, 500, PIXELS), (N, 1)).tolist()
    fields = {"lambda": column(grid, unit="nm")}
    parquet.write_table(table(spectrum=spectrum(**fields)), tmp_path / "t.parquet")
    survey = read_all(opened, tmp_path / "t.parquet")
    assert survey.inputs["spectrum"].wavelength_aa == pytest.approx((4000.0, 5000.0), rel=1e-15)


def test_shorter_spectra_are_padded_and_masked(tmp_path, opened):
    short = spectrum(flux=ragged(3), ivar=ragged(3), **{"lambda": ragged_grid(3)})
    parquet.write_table(table(spectrum=short), tmp_path / "t.parquet")
    read = opened(tmp_path / "t.parquet", inputs=SPECTRUM).read(np.arange(N)).inputs["spectrum"]
    assert read.mask.sum(axis=1).tolist() == [0, 0, 0, 0, 2, 0]
    assert np.isnan(read.flux[4, 3:]).all()


def ragged_grid(length):
    grid = np.tile(np.linspace(4000, 5000, PIXELS), (N, 1)).tolist()
    return [row[:length] if at == 4 else row for at, row in enumerate(grid)]


def test_a_null_struct_is_an_absent_input(tmp_path, opened):
    made = spectrum()
    mask = pa.array([False, True, False, False, False, False])
    holed = pa.StructArray.from_arrays(made.flatten(), fields=list(made.type), mask=mask)
    parquet.write_table(table(spectrum=holed), tmp_path / "t.parquet")
    survey = opened(tmp_path / "t.parquet", inputs=SPECTRUM)
    assert survey.inputs["spectrum"].have(N).tolist() == [True, False, True, True, True, True]


def damage_end(folder):
    file = sorted(folder.rglob("Npix=*.parquet"))[-1]
    file.write_bytes(file.read_bytes()[:-20])


def damage_middle(folder):
    file = sorted(folder.rglob("Npix=*.parquet"))[-1]
    content = bytearray(file.read_bytes())
    content[40:4000] = bytes(3960)
    file.write_bytes(bytes(content))


def empty_file(folder):
    sorted(folder.rglob("Npix=*.parquet"))[0].write_bytes(b"")


def no_permission(folder):
    sorted(folder.rglob("Npix=*.parquet"))[0].chmod(0)


def other_columns(folder):
    file = sorted(folder.rglob("Npix=*.parquet"))[-1]
    parquet.write_table(parquet.ParquetFile(file).read().drop(["Z"]), file)


def other_type(folder):
    file = sorted(folder.rglob("Npix=*.parquet"))[-1]
    read = parquet.ParquetFile(file).read()
    at = read.schema.get_field_index("Z")
    parquet.write_table(read.set_column(at, "Z", read["Z"].cast(pa.string())), file)


def missing_partition(folder):
    sorted(folder.rglob("Npix=*.parquet"))[0].unlink()


def no_partitions(folder):
    shutil.rmtree(folder / "dataset")


def copied_partition(folder):
    file = sorted(folder.rglob("Npix=*.parquet"))[0]
    shutil.copy(file, file.with_name("Npix=9999.parquet"))
    properties = folder / "hats.properties"
    rows = 60 + parquet.ParquetFile(file).metadata.num_rows
    properties.write_text(properties.read_text().replace("hats_nrows=60", f"hats_nrows={rows}"))


def properties_of_a_margin(folder):
    file = folder / "hats.properties"
    file.write_text(file.read_text().replace("dataproduct_type=object", "dataproduct_type=margin"))


def properties_that_are_no_text(folder):
    (folder / "hats.properties").write_bytes(b"\xff\xfe\x00")


def text_for_parquet(folder):
    sorted(folder.rglob("Npix=*.parquet"))[0].write_text("<html>not found</html>")


TREES = {
    damage_end: r"Npix=\d+.parquet is damaged",
    damage_middle: r"Npix=\d+.parquet is damaged",
    empty_file: r"Npix=\d+.parquet is damaged",
    text_for_parquet: r"Npix=\d+.parquet is damaged",
    no_permission: r"Npix=\d+.parquet: cannot be read: permission denied",
    other_columns: r"Npix=\d+.parquet: has other columns than .*'Z' is missing",
    other_type: r"Npix=\d+.parquet: has other columns than .*'Z' is string, not double",
    missing_partition: r"says 60 rows, its partitions have \d+",
    copied_partition: r"/sdss: 'object_id': \d ids stand in more than one row",
    no_partitions: r"sdss: has no folder 'dataset'",
    properties_of_a_margin: r"dataproduct_type is 'margin'",
    properties_that_are_no_text: r"hats.properties: is no text",
}


@pytest.mark.parametrize("damage", TREES, ids=lambda one: one.__name__)
def test_a_tree_that_is_damaged_is_refused_by_the_file(damage, trees, tmp_path, opened):
    if damage is no_permission and os.geteuid() == 0:
        pytest.skip("root may read everything")
    folder = tmp_path / "sdss"
    shutil.copytree(trees / "sdss_spectra_hats" / "sdss_spectra", folder)
    for path in folder.rglob("*"):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
    damage(folder)
    with pytest.raises(FmbError, match=TREES[damage]) as error:
        read_all(opened, folder)
    assert "\n" not in str(error.value)


def test_a_collection_without_its_table_is_told_so(tmp_path, opened):
    (tmp_path / "collection.properties").write_text("obs_collection=x\n")
    with pytest.raises(DataError, match="names no hats_primary_table_url"):
        opened(tmp_path, inputs=SPECTRUM)
    (tmp_path / "collection.properties").write_text("hats_primary_table_url=../../elsewhere\n")
    with pytest.raises(DataError, match=r"its table is elsewhere, at \.\./\.\./elsewhere"):
        opened(tmp_path, inputs=SPECTRUM)


def test_a_loop_of_links_is_no_loop(trees, tmp_path, opened):
    shutil.copytree(trees / "deep2_spectra_hats" / "deep2_spectra", tmp_path / "t")
    (tmp_path / "t" / "dataset" / "again").symlink_to(tmp_path / "t" / "dataset")
    assert len(read_all(opened, tmp_path / "t", inputs={"spectrum": {"unit": "counts"}})) == 24


def test_a_key_that_is_none_is_refused_with_a_hint(tmp_path, opened):
    parquet.write_table(table(), tmp_path / "t.parquet")
    with pytest.raises(ConfigError, match="unitt"):
        opened(tmp_path / "t.parquet", inputs={"spectrum": {"unit": FLUX, "unitt": "x"}})
