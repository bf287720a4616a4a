"""Ids in text and files are taken as they are written, and found without a float."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fmb.files.ids import locate, parse_ids, read_id_file


def test_ids_in_text_are_numbers_only_when_all_are():
    assert parse_ids(["1", "-2"], "x").tolist() == [1, -2]
    assert parse_ids(["1", "18446744073709551615"], "x").dtype == np.uint64
    assert parse_ids(["1", "007"], "x").tolist() == ["1", "007"]
    assert parse_ids(["-1", "18446744073709551615"], "x").dtype.kind == "U"


def test_ids_of_a_file_keep_their_signs_and_a_mark_of_byte_order_is_none(tmp_path):
    path = tmp_path / "ids.txt"
    path.write_text('A#1\n"B,2"\nC # known\n# nothing\n', encoding="utf-8-sig")
    assert read_id_file(path).tolist() == ["A#1", "B,2", "C"]


def test_an_id_file_may_be_the_first_column_of_a_csv(tmp_path):
    path = tmp_path / "ids.csv"
    path.write_text('object_id,why\n"A-1",lens\nB,ring\n')
    assert read_id_file(path).tolist() == ["A-1", "B"]


whole = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(whole, unique=True), st.lists(whole))
def test_locate_finds_every_id_exactly(among, wanted):
    there = np.array(among, dtype=np.int64)
    rows = locate(np.array(wanted + among, dtype=np.int64), there)
    expected = [among.index(w) if w in among else -1 for w in wanted + among]
    assert rows.tolist() == expected


def test_locate_never_compares_through_floats():
    big = np.array([2**53, 2**53 + 1], dtype=np.uint64)
    assert locate(np.array([2**53 + 1]), big).tolist() == [1]
    assert locate(np.array(["9007199254740993"]), big).tolist() == [1]
