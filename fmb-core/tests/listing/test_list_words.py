"""Words pick one list of a run, raw or given roles."""

import pytest

from fmb.contract.names import ListName, VectorName
from fmb.listing.list_words import list_called, words_for
from fmb.messages.errors import UnknownNameError

OWN = VectorName("own", "as-is", "image")  # embedder of vectors of a user's own
RAW = ListName("plain", (OWN,))
GIVEN = ListName("wide", (OWN,), ("magnitude", "size"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("image given", GIVEN),
        ("raw image", RAW),
        ("plain", RAW),
        ("wide image given", GIVEN),
        ("own.as-is.image.wide.given", GIVEN),
        ("own image (as-is), wide given magnitude, size", GIVEN),
    ],
)
def test_given_and_raw_are_words(words, expected):
    assert list_called(words, [RAW, GIVEN], "r") == expected


def test_a_label_that_is_such_a_word_is_meant_by_it():
    called_raw, other = ListName("raw", (OWN,)), ListName("plain", (OWN,))
    assert list_called("raw", [other, called_raw, GIVEN], "r") == called_raw
    assert list_called("raw image", [other, called_raw, GIVEN], "r") == called_raw


def test_a_word_that_all_lists_have_picks_none():
    with pytest.raises(UnknownNameError, match="names 2 lists"):
        list_called("image", [RAW, GIVEN], "r")


def test_the_words_shown_of_a_list_pick_it():
    lists = [RAW, GIVEN, ListName("roles", (VectorName("catalogue", "roles", "catalogue"),))]
    for name in lists:
        assert list_called(words_for(name, lists), lists, "r") == name


def test_names_say_what_a_list_is_given():
    assert str(GIVEN) == "own image (as-is), wide given magnitude, size"
    assert GIVEN.stem == "own.as-is.image.wide.given"
    roles = ListName("roles", (VectorName("catalogue", "roles", "catalogue"),))
    assert str(roles) == "catalogue (roles), roles"
