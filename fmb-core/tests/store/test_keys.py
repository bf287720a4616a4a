"""Keys tell values from all others, and only those."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmb.store.keys import array_key, canonical_json, content_key, file_sha256

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(plain, plain)
def test_different_values_have_different_keys(a, b):
    same = json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)
    assert (content_key(a) == content_key(b)) == same


def test_the_order_of_a_table_changes_no_key():
    assert content_key({"a": 1, "b": [2]}) == content_key({"b": [2], "a": 1})
    assert canonical_json({"b": 1, "a": {"d": 2, "c": 3}}) == '{"a":{"c":3,"d":2},"b":1}'


def test_numbers_of_numpy_paths_and_sets_are_plain_values():
    values = {"n": np.int64(3), "x": np.float64(0.5), "path": Path("a/b"), "set": {"q", "p"}}
    assert json.loads(canonical_json(values)) == {
        "n": 3,
        "x": 0.5,
        "path": "a/b",
        "set": ["p", "q"],
    }


def test_what_is_no_plain_value_has_no_key():
    with pytest.raises(TypeError, match="object is not a plain value"):
        content_key({"what": object()})


def test_a_key_is_what_sha256sum_says_it_is(tmp_path):
    (tmp_path / "value").write_bytes(b'{"a":1}')
    # printf '{"a":1}' | sha256sum
    expected = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    assert content_key({"a": 1}) == file_sha256(tmp_path / "value") == expected


def test_an_array_is_known_by_values_shape_and_type():
    array = np.arange(6.0).reshape(2, 3)
    others = [array.T, array.ravel(), array.astype("f4"), array + 1e-15, array[:, ::-1]]
    assert array_key(array) == array_key(np.asfortranarray(array)) == array_key(array.copy())
    assert len({array_key(a) for a in [array, *others]}) == 6


def test_text_is_known_by_its_characters_whatever_the_width_of_the_array():
    texts = np.array(["a", "bc"])
    assert array_key(texts) == array_key(texts.astype("U50")) == array_key(texts.astype(object))
    assert array_key(texts) != array_key(np.array(["ab", "c"]))
    assert array_key(texts) != array_key(texts[:, None])


def test_objects_that_are_no_text_have_no_key():
    with pytest.raises(TypeError, match="no text"):
        array_key(np.array(["a", 1.5], dtype=object))
