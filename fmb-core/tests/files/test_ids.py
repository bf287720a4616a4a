"""Ids in files: what is written is what is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmb.files.ids import id_line, read_ids


@given(
    st.lists(
        st.text(
            st.characters(exclude_categories=["C", "Z"], include_characters=' #,"'), min_size=1
        ),
        min_size=1,
        unique=True,
    )
)
def test_ids_come_back_from_their_lines_whatever_signs_they_hold(texts):
    texts = ["DEEP2 1", *texts]  # ids of which all look like floats are refused
    assert read_ids("\n".join(map(id_line, texts)), "here").astype(str).tolist() == texts


def test_an_id_that_cannot_be_misread_stands_bare():
    assert [id_line(text) for text in ("17", "a#b", "DEEP2 1")] == ["17", "a#b", "DEEP2 1"]
    assert id_line("a #b") == '"a #b"'


@pytest.mark.parametrize("line", ["a #b", "a # b", " a"])
def test_what_follows_a_blank_and_a_hash_is_a_comment_outside_of_quotes(line):
    assert read_ids(line, "here").tolist() == ["a"]
