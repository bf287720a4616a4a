"""The table of a survey's objects, the roles of its columns and who has which inputs."""

import numpy as np
import pandas as pd
import pytest

from fmb.contract.dataset import ROLES
from fmb.contract.inputs import InputInfo
from fmb.datasets.objects import TEXT_ROLES, by_slots, object_table, objects_at, role_columns


class Survey:
    """Six objects; `cam` is there for all but the second, `spec` for the first three."""

    def __init__(self, **columns):
        self.ids = np.array([3, 1, 2, 9, 8, 7])
        self.catalog = pd.DataFrame({"object_id": self.ids, **columns}, index=range(10, 16))
        self.catalog.attrs = {"units": {"mag_r": "mag"}, "roles": {"magnitude": "mag_r"}}
        spec = np.arange(6) < 3
        self.inputs = {
            "cam": InputInfo(kind="images", unit="nmgy", present=np.arange(6) != 1),
            "spec": InputInfo(kind="spectra", unit="counts", present=spec),
            "all": InputInfo(kind="columns", unit="mag"),
        }

    def __len__(self):
        return len(self.ids)


def test_the_table_has_ids_first_numbers_its_rows_and_keeps_what_is_said_of_it():
    table = object_table(Survey(mag_r=np.arange(6.0)))
    assert list(table) == ["object_id", "mag_r"]
    assert table["object_id"].tolist() == [3, 1, 2, 9, 8, 7]
    assert table.index.tolist() == list(range(6))
    assert table.attrs == {"units": {"mag_r": "mag"}, "roles": {"magnitude": "mag_r"}}


def test_some_objects_are_numbered_from_zero_in_the_order_asked_for():
    some = objects_at(Survey(mag_r=np.arange(6.0)), np.array([4, 0]))
    assert some["object_id"].tolist() == [8, 3]
    assert some["mag_r"].tolist() == [4.0, 0.0]
    assert some.index.tolist() == [0, 1]


def table(roles=None, **columns):
    made = pd.DataFrame(columns)
    made.attrs["roles"] = roles or {}
    return made


def test_a_role_is_played_by_the_column_that_the_survey_names():
    objects = table({"magnitude": "mag_r"}, mag_r=[20.0, 21.5], magnitude=[1.0, 2.0])
    assert role_columns(objects, ["magnitude"])["magnitude"].tolist() == [20.0, 21.5]


def test_a_column_called_like_a_role_plays_it():
    columns = role_columns(table(redshift=[0.1, 0.2], unasked=[1, 2]), ["redshift"])
    assert {role: values.tolist() for role, values in columns.items()} == {"redshift": [0.1, 0.2]}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_nothing_plays_is_unknown_for_all(role):
    values = role_columns(table(other=[1, 2, 3]), [role])[role]
    assert values.shape == (3,)
    if role in TEXT_ROLES:
        assert values.tolist() == ["", "", ""]
    else:
        assert values.dtype == np.float64
        assert np.isnan(values).all()


def test_the_roles_of_text_are_those_that_say_so():
    assert set(TEXT_ROLES) == {role for role, about in ROLES.items() if "text" in about}


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([1, 2, 3], [1.0, 2.0, 3.0]),
        (np.array([1.5, np.nan, 3.0], dtype="f4"), [1.5, np.nan, 3.0]),
        (pd.array([1, None, 3], dtype="Int64"), [1.0, np.nan, 3.0]),
        (pd.array([0.5, None, 1.0], dtype="Float64"), [0.5, np.nan, 1.0]),
        ([True, False, True], [1.0, 0.0, 1.0]),
    ],
    ids=["whole", "float32", "whole with gaps", "fractions with gaps", "yes or no"],
)
def test_numbers_of_any_type_are_float64_with_nan_where_unknown(column, expected):
    values = role_columns(table(size=column), ["size"])["size"]
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (["star", None, "QSO"], ["star", "", "QSO"]),
        (np.array([1, 2, 2**62 + 1]), ["1", "2", str(2**62 + 1)]),
        (pd.Categorical(["a", None, "b"]), ["a", "", "b"]),
        (pd.array([7, None, 8], dtype="Int64"), ["7", "", "8"]),
    ],
    ids=["text", "numbers", "categories", "numbers with gaps"],
)
def test_text_roles_are_text_whatever_the_column_holds(column, expected):
    values = role_columns(table({"group": "source"}, source=column), ["group"])["group"]
    assert values.dtype.kind == "U"
    assert values.tolist() == expected


def grouped(sources, rows):
    survey = Survey()
    return [(slots, at.tolist()) for slots, at in by_slots(survey, sources, np.array(rows))]


def test_objects_are_grouped_by_what_they_have_the_fullest_first():
    groups = grouped({"image": "cam", "spectrum": "spec"}, [5, 4, 3, 2, 1, 0])
    assert groups == [
        (("image", "spectrum"), [2, 0]),
        (("spectrum",), [1]),
        (("image",), [5, 4, 3]),
    ]


def test_objects_that_have_nothing_are_a_group_of_their_own():
    assert grouped({"spectrum": "spec"}, [0, 3]) == [(("spectrum",), [0]), ((), [3])]


def test_an_input_that_says_nothing_is_there_for_all():
    assert grouped({"table": "all"}, [1, 4]) == [(("table",), [1, 4])]
