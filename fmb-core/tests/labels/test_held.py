"""Which object a label names, in a survey that has changed since."""

import numpy as np
import pandas as pd
import pytest
from numpy import cos, radians

from fmb.labels.book import Event
from fmb.labels.held import held_against

ARCSEC = 1 / 3600


def event(object_id, name="lens", *, second=0, id_type="int64", ra=None, dec=None):
    time = f"2026-05-01T12:00:{second:02d}.000000+00:00"
    return Event(time, "ana@obs", str(object_id), id_type, name, ra, dec)


def survey(ids, ra=None, dec=None):
    place = {} if ra is None else {"ra": np.asarray(ra, float), "dec": np.asarray(dec, float)}
    return pd.DataFrame({"object_id": ids, **place})


def test_the_last_word_on_an_object_holds_and_may_be_that_it_has_no_label():
    said = [event(1, "lens"), event(2, "star", second=1), event(1, "merger", second=2)]
    assert held_against(said, survey([1, 2, 3])).classes.tolist() == ["merger", "star", ""]
    taken_back = held_against([*said, event(1, "", second=3)], survey([1, 2, 3]))
    assert taken_back.classes.tolist() == ["", "star", ""]
    assert (taken_back.lost, taken_back.moved) == (0, 0)


@pytest.mark.parametrize(
    ("ids", "id_type", "named"),
    [
        (np.array([2**62, 2**62 + 1]), "int64", 2**62 + 1),
        (np.array([2**63, 2**63 + 1], dtype=np.uint64), "uint64", 2**63 + 1),
        (np.array(["7", "007"]), "str", "007"),
        (np.array([-2, -1]), "int64", -1),
    ],
)
def test_ids_are_exact(ids, id_type, named):
    held = held_against([event(named, id_type=id_type)], survey(ids))
    assert held.classes.tolist() == ["", "lens"]


def test_a_number_is_not_the_text_that_looks_like_it():
    assert held_against([event("7", id_type="str")], survey([7])).lost == 1
    assert held_against([event(7)], survey(np.array(["7"]))).lost == 1


def test_a_number_stays_the_same_in_a_survey_whose_numbers_have_no_sign():
    grown = survey(np.array([7, 2**63 + 5], dtype=np.uint64))
    assert held_against([event(7)], grown).classes.tolist() == ["lens", ""]


@pytest.mark.parametrize(("offset", "found"), [(0.99, True), (1.01, False)])
@pytest.mark.parametrize(("ra", "dec"), [(10.0, 0.0), (10.0, 60.0), (0.0, -30.0), (200.0, 89.9)])
def test_an_id_that_is_gone_is_the_object_within_an_arcsecond(ra, dec, offset, found):
    # An offset in right ascension is smaller on the sky by the cosine of the declination.
    there = (ra - offset * ARCSEC / cos(radians(dec))) % 360
    held = held_against([event(1, ra=ra, dec=dec)], survey([5], [there], [dec]))
    assert held.classes.tolist() == (["lens"] if found else [""])
    assert held.lost == (not found)


def test_of_two_near_objects_the_nearer_one_is_meant():
    objects = survey([5, 6], [10, 10], [0.6 * ARCSEC, -0.3 * ARCSEC])
    assert held_against([event(1, ra=10.0, dec=0.0)], objects).classes.tolist() == ["", "lens"]


@pytest.mark.parametrize(("offset", "moved"), [(0.9, 0), (1.1, 1)])
def test_an_id_that_is_somewhere_else_now_is_counted_and_left_out(offset, moved):
    held = held_against([event(1, ra=10.0, dec=0.0)], survey([1], [10], [offset * ARCSEC]))
    assert held.moved == moved
    assert held.classes.tolist() == ([""] if moved else ["lens"])


def test_where_a_position_is_unknown_the_id_decides():
    assert held_against([event(1)], survey([1], [10], [0])).classes.tolist() == ["lens"]
    placed = event(1, ra=10.0, dec=0.0)
    for objects in (survey([1]), survey([1], [np.nan], [np.nan])):
        assert held_against([placed], objects).classes.tolist() == ["lens"]
    assert held_against([event(9)], survey([1], [10], [0])).lost == 1


def test_a_label_taken_back_is_neither_lost_nor_moved():
    away = [event(9, ""), event(1, "", ra=10.0, dec=0.0)]
    held = held_against(away, survey([1], [50], [0]))
    assert (held.lost, held.moved, list(held.remarks())) == (0, 0, [])


def test_what_is_left_out_is_said_with_its_number():
    said = [event(7), event(8), event(9), event(1, ra=10.0, dec=0.0)]
    assert list(held_against(said, survey([1], [50], [0]), torn=2).remarks()) == [
        "3 labels are of objects that are not in this run",
        "1 label names an object that is now more than 1 arcsec away: left out",
        "2 lines of labels cannot be read: left out",
    ]


def test_the_later_of_two_labels_of_one_place_holds():
    old, new = event(1, "star", ra=10.0, dec=0.0), event(5, "lens", second=1)
    objects = survey([5], [10], [0])
    assert held_against([old, new], objects).classes.tolist() == ["lens"]
    newer = event(1, "star", second=2, ra=10.0, dec=0.0)
    assert held_against([new, newer], objects).classes.tolist() == ["star"]
