"""Names of vectors and lists: in files, in JSON and for people."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmb.contract.names import ListName, VectorName

IMAGE, SPECTRUM = (VectorName("astropt", "mean", view) for view in ("image", "spectrum"))
FLOW, GAUSSIAN = ListName("flow", (IMAGE,)), ListName("gaussian", (SPECTRUM,))
MISMATCH = ListName("mismatch", (IMAGE, SPECTRUM))

words = st.from_regex(r"[a-z0-9]{1,4}", fullmatch=True)
vectors = st.builds(VectorName, words, words, words)
given_roles = st.lists(words, max_size=2).map(tuple)
lists = st.recursive(
    st.builds(ListName, words, st.lists(vectors, min_size=1, max_size=2).map(tuple), given_roles),
    lambda inner: st.builds(
        ListName, words, st.lists(inner, min_size=1, max_size=3).map(tuple), given_roles
    ),
    max_leaves=4,
)


@pytest.mark.parametrize(
    ("name", "stem", "text"),
    [
        (IMAGE, "astropt.mean.image", "astropt image (mean)"),
        (FLOW, "astropt.mean.image.flow", "astropt image (mean), flow"),
        (
            ListName("flow", (IMAGE,), ("magnitude", "size")),
            "astropt.mean.image.flow.given",
            "astropt image (mean), flow given magnitude, size",
        ),
        (
            MISMATCH,
            "astropt.mean.image+spectrum.mismatch",
            "astropt image x spectrum (mean), mismatch",
        ),
        (
            ListName("any", (FLOW, GAUSSIAN, MISMATCH)),
            "astropt.mean.image+spectrum.any",
            "astropt image+spectrum (mean, 3 lists), any",
        ),
    ],
    ids=["vectors", "single", "given", "pair", "fusion"],
)
def test_a_name_has_a_stem_for_files_and_a_text_for_people(name, stem, text):
    assert name.stem == stem
    assert str(name) == text


@given(lists)
def test_a_name_comes_back_from_its_plain_values(name):
    assert ListName.from_dict(json.loads(json.dumps(name.as_dict()))) == name


@given(vectors)
def test_vectors_are_named_by_plain_values(name):
    assert VectorName(**json.loads(json.dumps(name.as_dict()))) == name


def test_a_list_goes_back_to_its_vectors_each_once_in_order():
    fused = ListName("any", (GAUSSIAN, MISMATCH, FLOW))
    assert fused.vectors == (SPECTRUM, IMAGE)
    assert ListName("any", (fused, FLOW)).vectors == (SPECTRUM, IMAGE)
    assert (fused.is_fusion, MISMATCH.is_fusion, FLOW.is_fusion) == (True, False, False)


def test_a_list_of_two_models_names_both():
    other = VectorName("aion", "last", "image")
    both = ListName("any", (FLOW, ListName("flow", (other,))))
    assert (both.model, both.embedder, both.view) == ("astropt+aion", "mean+last", "image")
    assert both.stem == "astropt+aion.mean+last.image.any"


def test_vectors_are_ordered_by_model_embedder_and_view():
    names = [VectorName("b", "a", "a"), VectorName("a", "b", "a"), VectorName("a", "a", "b")]
    assert sorted(names) == names[::-1]
