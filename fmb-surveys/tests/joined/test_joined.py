"""Several surveys as one: rows, pixels, ids and columns are those of the surveys themselves."""

import pickle

import h5py
import numpy as np
import pandas as pd
import pytest

from fmb import FmbError

GAP = pd.NA
T = 39_627_000_000_000_000
BY_TARGET = {"on": {"left": "target", "right": "object_id"}}


def test_objects_have_what_both_surveys_observed(surveys):
    both = surveys.open()
    assert both.ids.tolist() == [f"cam-{k}" for k in range(6)]
    assert both.catalog["spectra_id"].tolist() == [T, T + 1, GAP, T + 3, T + 4, GAP]
    assert both.inputs["cam"].present is None
    assert both.inputs["spec"].have(6).tolist() == [True, True, False, True, True, False]
    batch = both.read(np.array([4, 2, 0, 5, 3]))
    assert batch.rows["spec"].tolist() == [0, 2, 4]
    assert np.array_equal(batch.inputs["spec"].flux, surveys.spec["flux"][[0, 2, 1]])
    assert np.array_equal(batch.inputs["cam"].flux, surveys.cam["image"][[4, 2, 0, 5, 3]])


def test_separations_are_a_column_with_its_unit(surveys):
    both = surveys.open()
    apart = both.catalog["match_arcsec_spectra"].to_numpy()
    # Chords of float64 unit vectors are good to 1e-16 rad, 2e-11 arcsec.
    assert np.allclose(apart[[0, 1, 3, 4]], 0.3, rtol=0, atol=1e-9)
    assert np.isnan(apart[[2, 5]]).all()
    assert both.catalog.attrs["units"]["match_arcsec_spectra"] == "arcsec"


def test_columns_of_partners_are_prefixed_and_whole_numbers_stay_whole(surveys):
    catalog = surveys.open().catalog
    assert catalog["spectra_rank"].tolist() == [0, 1, GAP, 3, 4, GAP]
    assert catalog["mag"].tolist() == [20.0, 21.0, 22.0, 23.0, 24.0, 25.0]
    surveys.member["columns"] = {"redshift_of_it": "z"}
    catalog = surveys.open().catalog
    assert catalog["redshift_of_it"].dropna().tolist() == [0.0, 0.1, 0.3, 0.4]
    assert "spectra_rank" not in catalog


def test_only_the_matched_are_kept_where_one_says_so(surveys):
    surveys.member["keep"] = "matched"
    both = surveys.open()
    assert both.ids.tolist() == ["cam-0", "cam-1", "cam-3", "cam-4"]
    assert both.inputs["spec"].present is None
    got = both.read(np.arange(4), ("spec",)).inputs["spec"].flux
    assert np.array_equal(got, surveys.spec["flux"][[2, 3, 1, 0]])


@pytest.mark.parametrize("to", [{}, {"to": "images"}])
def test_partners_may_be_equal_in_a_column(surveys, to):
    surveys.match = {**BY_TARGET, **to}
    surveys.spec["dec"][:] = 0.0  # positions say nothing
    both = surveys.open()
    assert both.catalog["spectra_id"].tolist() == [T, T + 1, GAP, T + 3, T + 4, GAP]
    assert "match_arcsec_spectra" not in both.catalog


def test_where_each_input_comes_from_is_said_as_by_its_own_survey(surveys):
    before = surveys.open().inputs
    surveys.spec["flux"] += 1
    after = surveys.open().inputs
    assert np.array_equal(before["cam"].origin, after["cam"].origin)
    assert (before["spec"].origin[[0, 1, 3, 4]] != after["spec"].origin[[0, 1, 3, 4]]).all()
    assert after["spec"].origin[[2, 5]].tolist() == [0, 0]


def test_another_match_or_other_files_make_another_survey(surveys):
    first = surveys.open().identity
    surveys.match["radius_arcsec"] = 2.0
    second = surveys.open().identity
    surveys.cam["mag"][0] = 19.0
    assert first != second != surveys.open().identity


def test_it_pickles_without_open_files(surveys):
    both = surveys.open()
    both.read(np.arange(6))
    again = pickle.loads(pickle.dumps(both))
    with h5py.File(surveys.folder / "cam" / "data.h5") as file:
        assert np.array_equal(again.read(np.arange(6)).inputs["cam"].flux, file["image"][:])


def test_three_surveys_are_matched_one_to_the_next(surveys):
    path = surveys.write()
    text = path.read_text() + '\n[survey.more]\npath = "spec"\nkeep = "matched"\n'
    text += 'match = { to = "spectra", on = "object_id" }\ninputs = { again = "spec" }\n'
    path.write_text(text)
    from fmb.datasets import open_dataset

    three = open_dataset(str(path), cache=surveys.folder / "cache")
    assert three.ids.tolist() == ["cam-0", "cam-1", "cam-3", "cam-4"]
    batch = three.read(np.arange(4))
    assert np.array_equal(batch.inputs["again"].flux, batch.inputs["spec"].flux)


def change(surveys, what):
    """Make one thing wrong."""
    if what == "same input":
        surveys.tables["spec"]["inputs"] = {"cam": surveys.tables["spec"]["inputs"]["spec"]}
    elif what == "far":
        surveys.spec["dec"] += 1
    elif what == "no positions":
        del surveys.spec["ra"]
    elif what == "repeated key":
        surveys.cam["target"][:] = T
    elif what == "gone":
        surveys.first["path"] = "gone"
    else:
        getattr(surveys, what[0]).update(what[1])


@pytest.mark.parametrize(
    ("wrong", "match", "message"),
    [
        ("same input", {}, r"survey.spectra: another input is called 'cam' .* NEW = \"cam\""),
        ("far", {}, "none of its 4 objects is one of the 6 of images: widen the radius"),
        ("no positions", {}, "the survey of which objects are matched has no ra and dec"),
        ("repeated key", BY_TARGET, f"'target': 1 keys stand in more than one row.* {T}"),
        ("gone", {}, "'gone' is neither a dataset nor a file"),
        (("member", {}), {"on": "target"}, "no column is called 'target'"),
        (("member", {}), {"on": "id", "radius_arcsec": 1}, "give either radius_arcsec or on"),
        (("member", {}), {"radius_arcsec": 0}, r"match.radius_arcsec = 0"),
        (("member", {}), {"radius_arcsec": 1, "to": "spectra"}, "to a survey before it: images"),
        (("member", {"columns": {"mag": "z"}}), {}, "there is a column 'mag' already"),
        (("member", {"columns": ["q"]}), {}, "no column is called 'q'"),
        (("member", {"inputs": {"a": "b"}}), {}, "it has no input 'b'"),
        (("member", {"kep": "all"}), {}, "unknown key .*survey.spectra.kep; did you mean 'keep'"),
        (("first", {"keep": "matched"}), {}, "is the first, whose objects stay"),
    ],
)
def test_what_cannot_be_joined_is_said_in_one_line(surveys, wrong, match, message):
    change(surveys, wrong)
    surveys.match = match or surveys.match
    with pytest.raises(FmbError, match=message) as caught:
        surveys.open()
    assert "\n" not in str(caught.value)


def test_a_survey_without_a_match_is_refused(surveys):
    path = surveys.write()
    path.write_text(path.read_text().replace("[survey.spectra.match]\nradius_arcsec = 1.0", ""))
    from fmb.datasets import open_dataset

    with pytest.raises(FmbError, match="say which of its objects are those of images: match ="):
        open_dataset(str(path), cache=surveys.folder / "cache")


def test_columns_may_be_derived_across_surveys(surveys):
    path = surveys.write()
    path.write_text('derived = { far = "mag + spectra_z" }\n' + path.read_text())
    from fmb.datasets import open_dataset

    found = open_dataset(str(path), cache=surveys.folder / "cache").catalog["far"]
    assert found.dropna().tolist() == [20.0, 21.0 + 0.1, 23.0 + 0.3, 24.0 + 0.4]


@pytest.mark.parametrize("through", [".", "other"])
def test_a_survey_that_joins_itself_is_refused(surveys, through):
    surveys.first["path"] = through
    path = surveys.write()
    if through == "other":
        (surveys.folder / "other").mkdir()
        text = path.read_text().replace('"other"', '".."').replace('"spec"', '"../spec"')
        (surveys.folder / "other" / "survey.toml").write_text(text)
    with pytest.raises(FmbError, match="a joined survey cannot be one of its own"):
        surveys.open()
