import errno
import os
import tomllib
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmb import ROLES, DataError, FailedError
from fmb_surveys.files.survey_toml import (
    ImagesSource,
    SpectraSource,
    build_survey,
    find_survey_file,
    read_survey,
    write_survey_file,
)
from fmb_surveys.files.units import check_unit

path_text = st.text("abc/_", min_size=1, max_size=8)
maybe = st.none() | path_text


@st.composite
def surveys(draw):
    cam = {
        "kind": "images",
        "flux": draw(path_text),
        "unit": draw(st.sampled_from(["nmgy", "display", "counts", "1e-17 erg / (s cm2 AA)"])),
        "bands": draw(st.lists(st.text(min_size=1), min_size=1)),
        "pixel_scale_arcsec": draw(st.floats(1e-3, 10)),
        "missing": draw(st.none() | st.floats(allow_nan=False, allow_infinity=False)),
    }
    spec = {
        "kind": "spectra",
        "flux": "f",
        "unit": "counts",
        "wavelength": "w",
        "mask": draw(maybe),
        "calibrated": draw(st.booleans()),
    }
    columns = draw(
        st.just("all") | st.lists(path_text) | st.dictionaries(path_text, path_text, max_size=3)
    )
    values = {
        "name": draw(st.text(min_size=1)),
        "file": "x.h5",
        "catalog": {
            "id": "id",
            "ra": draw(maybe),
            "columns": columns,
            "roles": draw(st.dictionaries(st.sampled_from(sorted(ROLES)), path_text)),
        },
        "inputs": {"cam": cam, "spec-2": spec},
    }
    return values


@given(surveys())
def test_a_written_survey_reads_back_the_same(tmp_path_factory, values):
    path = tmp_path_factory.getbasetemp() / "written.toml"
    survey = build_survey(values, path)
    write_survey_file(path, survey)
    assert read_survey(path) == survey
    assert read_survey(path).text() == survey.text()


def test_the_mapping_says_how_to_read_and_not_where_files_are(files):
    folder = files.write()
    one = read_survey(folder / "survey.toml").mapping()
    files.toml["file"] = "elsewhere/data.h5"
    files.cam["file"] = "more.h5"
    files.write()
    assert read_survey(folder / "survey.toml").mapping() == one
    files.cam["scale"] = 2.0
    files.write()
    assert read_survey(folder / "survey.toml").mapping() != one


def test_inputs_are_read_by_their_kind(files):
    survey = read_survey(files.write() / "survey.toml")
    assert isinstance(survey.inputs["cam"], ImagesSource)
    assert isinstance(survey.inputs["spec"], SpectraSource)


def test_a_folder_stands_for_its_survey_file(files):
    folder = files.write()
    assert find_survey_file(str(folder)) == folder / "survey.toml"
    with pytest.raises(DataError, match="no such file"):
        find_survey_file(str(folder / "other.toml"))


@pytest.mark.parametrize("unit", ["nmgy", "display", "counts", "count/s", "electron / s", ""])
def test_a_unit_stays_as_it_is_written(unit):
    assert check_unit(unit) == unit


def test_a_unit_that_astropy_doubts_is_spelt_out_and_an_unknown_one_refused():
    from astropy import units

    spelt = check_unit("1e-17 erg/s/cm2/Angstrom")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert units.Unit(spelt) == 1e-17 * units.Unit("erg / (s cm2 Angstrom)")
    with pytest.raises(ValueError, match="astropy cannot parse this unit"):
        check_unit("furlongs per fortnight")


def test_a_full_disk_keeps_the_old_file(files, monkeypatch):
    path = files.write() / "survey.toml"
    survey = read_survey(path)
    before = path.read_text()

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FailedError, match=r"no space left for .*survey\.toml"):
        write_survey_file(path, survey)
    assert path.read_text() == before
    assert sorted(p.name for p in path.parent.iterdir()) == ["data.h5", "survey.toml"]
    assert tomllib.loads(before)["name"] == "sound"
