"""Photometry as an input: exact, with units, errors and gaps, from the catalogue or a file."""

import pickle

import h5py
import numpy as np
import pytest
from astropy.table import Table
from click.testing import CliRunner

from fmb import Columns, FmbError
from fmb.cli import main
from fmb.datasets import open_dataset
from fmb_surveys.files.reader import FilesConfig, open_survey_file, write_survey

G = np.array([1.5, 2.5, np.nan, 4.5, np.nan, -0.25])
R = np.array([10.0, -99.0, np.nan, 40.0, 50.0, 60.0])
E = np.array([0.1, 0.0, 0.3, -1.0, np.nan, 0.6])


@pytest.fixture
def phot(files):
    """The table of an input of two fluxes that the catalogue has, in nJy as its file says."""
    columns = {
        "id": files.arrays["id"],
        "flux_g": G,
        "flux_r": R,
        "err_g": E,
        "err_r": E * 2,
        "n": E,
    }
    units = dict.fromkeys(("flux_g", "flux_r", "err_g", "err_r"), "nJy")
    Table(columns, units=units).write(files.folder / "cat.fits")
    files.toml["catalog"] = {"file": "cat.fits", "id": "id", "columns": "all"}
    files.cam["id"] = files.spec["id"] = "id"
    table = {
        "kind": "columns",
        "columns": ["flux_g", "flux_r"],
        "errors": ["err_g", "err_r"],
        "missing": -99,
        "wavelength_aa": [4800.0, 6400.0],
    }
    files.toml["inputs"]["phot"] = table
    return table


def read(dataset, rows=None):
    return dataset.read(np.arange(6) if rows is None else rows, ("phot",))


def test_columns_of_the_catalogue_are_an_input_with_units_and_errors(files, phot):
    opened = files.open()
    batch = read(opened)
    data = batch.inputs["phot"]
    assert isinstance(data, Columns)
    assert (data.names, data.units) == (("flux_g", "flux_r"), ("nJy", "nJy"))
    assert data.wavelength_aa == (4800.0, 6400.0)
    # Row 2 has no value at all and is absent; -99 of row 1 is one that is missing.
    assert batch.rows["phot"].tolist() == [0, 1, 3, 4, 5]
    expected = np.array([[1.5, 10], [2.5, np.nan], [4.5, 40], [np.nan, 50], [-0.25, 60]], "f4")
    assert np.array_equal(data.values, expected, equal_nan=True)
    # An error that is no positive number is none.
    errors = np.array([0.1, np.nan, np.nan, np.nan, 0.6])
    assert np.array_equal(
        data.errors, np.column_stack([errors, 2 * errors]).astype("f4"), equal_nan=True
    )
    info = opened.inputs["phot"]
    assert (info.kind, info.unit, info.bands, info.shape) == (
        "columns", "nJy", ("flux_g", "flux_r"), (2,)
    )  # fmt: skip
    assert info.have(6).tolist() == [True, True, False, True, True, True]


def test_rows_come_in_the_order_that_is_asked_for(files, phot):
    batch = read(files.open(), np.array([5, 2, 0]))
    assert batch.rows["phot"].tolist() == [0, 2]
    assert batch.inputs["phot"].values[:, 0].tolist() == [-0.25, 1.5]


def test_arrays_of_a_file_are_matched_by_id(files, phot):
    order = np.array([3, 0, 5, 1])
    stacked = np.column_stack([G, R])[order]
    with h5py.File(files.folder / "sed.h5", "w") as file:
        file["who"] = files.arrays["id"][order]
        file["sed"] = stacked
        file["sed"].attrs["unit"] = "nJy"
        file["one"] = stacked[:, 0]
    phot.clear()
    phot.update(kind="columns", file="sed.h5", values="sed", names=["g", "r"], id="who")
    batch = read(files.open())
    assert batch.rows["phot"].tolist() == [0, 1, 3, 5]
    assert batch.inputs["phot"].values.tolist() == [[1.5, 10], [2.5, -99], [4.5, 40], [-0.25, 60]]
    phot.pop("values")
    phot.update(columns=["one"], names=["g"], units="uJy", missing=2.5)
    batch = read(files.open())
    assert batch.rows["phot"].tolist() == [0, 3, 5]
    assert (batch.inputs["phot"].names, batch.inputs["phot"].units) == (("g",), ("uJy",))


def test_derived_columns_are_photometry_too(files, phot):
    files.toml["catalog"]["derived"] = {"mag": "31.4 - 2.5 * log10(flux_g)"}
    phot.update(columns=["mag", "flux_r"], units=["mag", "nJy"], errors=[])
    opened = files.open()
    assert opened.inputs["phot"].unit == ""  # there are two
    first = read(opened).inputs["phot"].values[0, 0]
    assert first == np.float32(31.4 - 2.5 * np.log10(1.5))


def test_where_values_come_from_changes_with_them_alone(files, phot):
    before = files.open().inputs
    files.toml["catalog"]["derived"] = {"twice": "flux_g * 2"}
    same = files.open().inputs
    assert np.array_equal(before["phot"].origin, same["phot"].origin)
    table = Table.read(files.folder / "cat.fits")
    table["flux_r"][3] += 1
    table.write(files.folder / "cat.fits", overwrite=True)
    after = files.reopen().inputs
    changed = before["phot"].origin != after["phot"].origin
    assert changed.tolist() == [False, False, False, True, False, False]
    assert before["phot"].origin[2] == 0
    assert len(set(before["phot"].origin.tolist())) == 6


def test_a_survey_with_photometry_is_written_and_read_back(files, phot, tmp_path):
    opened = files.open()
    write_survey(tmp_path / "copy", opened)
    again = open_survey_file(str(tmp_path / "copy"), FilesConfig(), cache=tmp_path)
    one, other = read(opened), read(again)
    assert one.rows["phot"].tolist() == other.rows["phot"].tolist()
    for field in ("values", "errors"):
        a, b = (getattr(batch.inputs["phot"], field) for batch in (one, other))
        assert a.dtype == b.dtype
        assert np.array_equal(a, b, equal_nan=True)
    for field in ("names", "units", "wavelength_aa"):
        assert getattr(one.inputs["phot"], field) == getattr(other.inputs["phot"], field)


def test_it_pickles_and_is_selected_from(files, phot):
    opened = pickle.loads(pickle.dumps(files.open()))
    assert read(opened).inputs["phot"].values[0].tolist() == [1.5, 10]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"columns": ["flux_g", "flux_z"]}, "no column of the catalogue is called 'flux_z'; did"),
        ({"columns": ["flux_g"]}, "errors has 2 entries for 1 columns"),
        ({"columns": []}, "give either columns or values"),
        ({"values": "x", "columns": []}, "name the columns of values with names"),
        ({"wavelength_aa": [1.0]}, "wavelength_aa has 1 entries for 2 columns"),
        ({"wavelength_aa": [1.0, -1.0]}, "wavelength_aa is in Angstrom, above 0"),
        ({"names": ["a", "a"]}, "two columns have one name"),
        ({"units": "uJy"}, "'flux_g' is in 'nJy' .* in 'uJy' by units"),
        ({"units": "parsnips"}, "astropy cannot parse this unit"),
        ({"columns": ["n", "flux_r"]}, "nothing says the unit of 'n': give units"),
        ({"errors": "err_g"}, "errors is one array beside values, a list beside columns"),
        ({"id": "id"}, "format, id, same_order and present are of a file; name it"),
        ({"flux": "flux_g"}, "unknown key .*inputs.phot.flux"),
        ({"file": "data.h5", "units": "nJy", "id": "id"}, "flux_g"),
        ({"kind": "column"}, "unknown kind 'column'; did you mean 'columns'"),
    ],
)
def test_what_cannot_be_photometry_is_said_in_one_line(files, phot, said, message):
    phot.update(said)
    with pytest.raises(FmbError, match=message) as caught:
        files.open()
    assert "\n" not in str(caught.value)


def test_text_is_no_photometry(files, phot):
    files.toml["catalog"] = {"file": "data.h5", "id": "id", "columns": ["kind", "mag"]}
    phot.update(columns=["mag", "kind"], errors=[], units="mag")
    with pytest.raises(FmbError, match="column 'kind' holds no numbers"):
        files.open()


def test_shapes_that_do_not_fit_are_refused(files, phot):
    with h5py.File(files.folder / "sed.h5", "w") as file:
        file["sed"] = np.zeros((6, 3))
    phot.clear()
    phot.update(
        kind="columns", file="sed.h5", values="sed", names=["g", "r"], units="nJy", same_order=True
    )
    with pytest.raises(FmbError, match=r"has shape \(6, 3\), expected \(6, 2\)"):
        files.open()


def test_the_command_line_shows_and_checks_photometry(files, phot):
    table = Table.read(files.folder / "cat.fits")
    table["flux_r"][3] = np.inf
    table.write(files.folder / "cat.fits", overwrite=True)
    shown = CliRunner().invoke(main, ["data", "show", str(files.write())]).stdout
    assert "columns" in shown
    assert "flux_g, flux_r" in shown
    found = CliRunner().invoke(main, ["data", "validate", str(files.folder)]).stdout
    wrong = f"phot: values that are infinite, or beyond float32: 1 object, {files.arrays['id'][3]}"
    assert wrong in " ".join(found.split())


def test_copies_with_something_planted_keep_the_photometry_of_their_host(files, phot, tmp_path):
    from fmb_surveys.planting.config import PlantingConfig
    from fmb_surveys.planting.wrapper import Planted

    config = PlantingConfig(mode="paired", kinds=("dead-columns",), n_per_kind=2, seed=1)
    planted = Planted(files.open(), config)
    batch = planted.read(np.arange(len(planted)))
    hosts = [injection.host for injection in planted.injections]
    assert len(hosts) > 0
    data, have = batch.inputs["phot"], batch.rows["phot"].tolist()
    for copy, host in enumerate(hosts, start=6):
        assert (copy in have) == (host in have)
        if host in have:
            one, other = data.values[have.index(copy)], data.values[have.index(host)]
            assert np.array_equal(one, other, equal_nan=True)
        origin = planted.inputs["phot"].origin
        assert origin[copy] == origin[host]
        assert planted.inputs["cam"].origin[copy] != planted.inputs["cam"].origin[host]
    assert "phot" in planted.kept


def test_photometry_of_a_joined_survey_comes_with_its_partner(files, phot, tmp_path):
    files.write()
    text = 'name = "j"\n[survey.a]\npath = "survey"\n[survey.b]\npath = "survey"\n'
    text += 'match = { on = "object_id" }\ninputs = { c2 = "cam", s2 = "spec", p2 = "phot" }\n'
    (tmp_path / "survey.toml").write_text(text)
    both = open_dataset(str(tmp_path / "survey.toml"), cache=tmp_path / "cache")
    batch = both.read(np.arange(6), ("phot", "p2"))
    one, other = (batch.inputs[name].values for name in ("phot", "p2"))
    assert np.array_equal(one, other, equal_nan=True)
