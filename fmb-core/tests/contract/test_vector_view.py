"""Vectors of a view, wherever their parts lie: in order, gathered, by blocks, or in part."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmb.contract.names import VectorName
from fmb.contract.vector_view import VectorView
from fmb.messages.errors import ShapeError

NAME = VectorName("m", "mean", "image")


def view(parts, rows, at, n=None, **more):
    rows, at = np.asarray(rows, dtype=np.int64), np.asarray(at, dtype=np.int64)
    n = int(rows.max(initial=-1)) + 1 if n is None else n
    return VectorView(NAME, {"key": "k"}, n, rows, parts, at, **more)


def numbered(*lengths, dtype=np.float32):
    """Parts of two columns; the vector that is k-th of all holds k and -k."""
    starts = np.cumsum([0, *lengths])
    whole = np.arange(starts[-1])[:, None] * np.array([1, -1])
    return [whole[a:b].astype(dtype) for a, b in pairwise(starts)]


@st.composite
def views(draw):
    """Any view of up to four parts: some vectors wanted, in any order, of some of the objects."""
    lengths = draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))
    at = draw(st.permutations(range(sum(lengths))))
    at = at[: draw(st.integers(0, len(at)))]
    n = draw(st.integers(len(at), len(at) + 4))
    rows = sorted(draw(st.permutations(range(n)))[: len(at)])
    return view(numbered(*lengths), rows, at, n)


def test_one_stored_matrix_in_order_is_the_values_themselves():
    (matrix,) = numbered(4)
    whole = view([matrix], [0, 2, 3, 5], [0, 1, 2, 3])
    assert np.shares_memory(whole.values, matrix)
    assert whole.values.shape == (4, 2)


@pytest.mark.parametrize(
    ("parts", "at"),
    [
        (numbered(4), [0, 1, 2]),
        (numbered(4), [0, 2, 1, 3]),
        (numbered(2, 2), [0, 1, 2, 3]),
        (numbered(4, dtype=np.float64), [0, 1, 2, 3]),
    ],
    ids=["not all of it", "another order", "two parts", "float64"],
)
def test_anything_else_is_copied_once_as_float32(parts, at):
    gathered = view(parts, range(len(at)), at)
    assert gathered.values.tolist() == [[k, -k] for k in at]
    assert gathered.values.dtype == np.float32
    assert not any(np.shares_memory(gathered.values, part) for part in parts)
    assert gathered.values is gathered.values


@given(views())
def test_each_object_gets_its_own_vector_from_whichever_part(one):
    assert one.values.tolist() == [[k, -k] for k in one.at.tolist()]
    assert len(one) == len(one.rows)


@given(views())
def test_blocks_cover_each_object_once_in_the_order_of_storage(one):
    places, stored = [], []
    for rows, matrix in one.blocks():
        assert len(rows) == len(matrix) > 0
        places.extend(rows.tolist())
        stored.extend(matrix[:, 0].tolist())
    assert sorted(places) == one.rows.tolist()
    assert stored == sorted(one.at.tolist())
    expected = dict(zip(one.rows.tolist(), one.at.tolist(), strict=True))
    assert dict(zip(places, stored, strict=True)) == expected


def test_a_part_that_is_wanted_whole_comes_without_a_copy():
    parts = numbered(3, 2, 4)
    # Of the second part one vector is not wanted.
    one = view(parts, range(8), [0, 1, 2, 8, 7, 6, 5, 3])
    blocks = [matrix for _, matrix in one.blocks()]
    shared = [np.shares_memory(m, p) for m, p in zip(blocks, parts, strict=True)]
    assert shared == [True, False, True]
    assert [rows.tolist() for rows, _ in one.blocks()] == [[0, 1, 2], [7], [6, 5, 4, 3]]


def test_aligned_vectors_have_no_number_where_an_object_has_none():
    one = view(numbered(2, 1), [1, 3, 4], [2, 0, 1], n=6)
    expected = [[np.nan] * 2, [2, -2], [np.nan] * 2, [0, 0], [1, -1], [np.nan] * 2]
    np.testing.assert_array_equal(one.aligned(), expected)
    assert one.valid.tolist() == [False, True, False, True, True, False]


@given(views(), st.data())
def test_a_part_of_the_survey_keeps_each_objects_vector(one, data):
    chosen = data.draw(st.permutations(range(one.n)))
    chosen = np.array(chosen[: data.draw(st.integers(0, one.n))], dtype=np.int64)
    part = one.select(chosen)
    assert part.n == len(chosen)
    assert part.parts is one.parts
    np.testing.assert_array_equal(part.aligned(), one.aligned()[chosen])
    assert (np.diff(part.rows) > 0).all()


def test_a_selection_keeps_name_identity_and_what_it_can_be_compared_with():
    part = view(numbered(3), range(3), range(3), comparable="abc").select(np.array([2, 0]))
    assert (part.name, part.identity, part.comparable) == (NAME, {"key": "k"}, "abc")


def test_a_view_without_vectors_has_no_width_and_no_blocks():
    empty = view([], [], [], n=3)
    assert (len(empty), empty.width, list(empty.blocks())) == (0, 0, [])
    assert empty.values.shape == (0, 0)
    assert empty.aligned().shape == (3, 0)
    assert not empty.valid.any()


def test_parts_of_two_widths_are_refused():
    with pytest.raises(ShapeError, match=r"vectors of m image \(mean\): parts of widths"):
        view([np.zeros((2, 3)), np.zeros((2, 4))], range(4), range(4))


def test_every_object_needs_a_place():
    with pytest.raises(ShapeError, match="3 objects, 2 places"):
        view(numbered(3), [0, 1, 2], [0, 1])
