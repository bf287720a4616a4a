"""Which column plays which role: as the survey file says, or as it is called."""

import numpy as np

from fmb.datasets import select
from fmb_surveys.files.reader import FilesConfig, open_survey_file, write_survey

ROLES = {"magnitude": "mag", "class": "kind"}


def test_a_column_plays_the_role_that_the_survey_file_gives_it(files):
    files.toml["catalog"]["roles"] = ROLES
    assert files.open().catalog.attrs["roles"] == ROLES


def test_columns_that_the_survey_file_calls_by_their_role_play_it_unasked(files):
    files.arrays |= {"z": np.linspace(0.1, 0.6, 6), "pair": np.array([1, 1, 2, 2, 3, 3])}
    files.toml["catalog"] |= {"redshift": "z", "group": "pair", "label": "kind"}
    assert files.open().catalog.attrs["roles"] == {
        "redshift": "redshift",
        "group": "group",
        "class": "label",
    }
    files.toml["catalog"]["roles"] = {"redshift": "mag"}
    assert files.open().catalog.attrs["roles"]["redshift"] == "mag"


def test_a_survey_that_names_no_role_has_none(files):
    assert files.open().catalog.attrs["roles"] == {}


def test_roles_are_kept_by_a_selection_and_a_written_survey(files, tmp_path):
    files.toml["catalog"]["roles"] = ROLES
    chosen = select(files.open(), limit=3)
    assert chosen.catalog.attrs["roles"] == ROLES
    write_survey(tmp_path / "copy", chosen)
    copy = open_survey_file(str(tmp_path / "copy"), FilesConfig(), cache=tmp_path)
    assert copy.catalog.attrs["roles"] == ROLES
