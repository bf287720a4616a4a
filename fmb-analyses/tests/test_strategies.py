"""Which list shows what is odd in one view, in several, or in how two fit together."""

import numpy as np
import pandas as pd
import pytest

from fmb import DataError, ListName, VectorName
from fmb_analyses.strategies import KINDS, Strategies, kinds_of
from fmb_analyses.strategies_config import StrategiesConfig

IMAGE, SPECTRUM, JOINT = (VectorName("m", "mean", view) for view in ("image", "spectrum", "joint"))
A, B = (ListName("flow", (view,)) for view in (IMAGE, SPECTRUM))
GAP = ListName("gap", (IMAGE, SPECTRUM))
FUSED = ListName("any", (A, B, GAP))
N = 100


def odd(*first):
    """(N,) scores in which these objects lead, in this order, and the rest follows by number."""
    scores = np.arange(N, 0, -1) / N
    scores[list(first)] = 10 - np.arange(len(first))
    return scores


class Stub:
    """A run of given scores."""

    name = "r"

    def __init__(self, scores, repeats=()):
        self.lists, self._scores, self._repeats = list(scores), scores, list(repeats)

    def scores(self, name):
        score = pd.Series(self._scores[name])
        repeat = pd.Series(False, index=score.index)
        repeat[self._repeats] = True
        rank = (-score).rank()
        return pd.DataFrame({"score": score, "rank": rank, "is_repeat": repeat.astype("boolean")})


def tables(scores, k=5, top=0.05, **more):
    config = StrategiesConfig(looks=k, top=top)
    return Strategies(config, seed=0).analyze([Stub(scores, **more)], None)


SCORES = {
    A: odd(10, 11, 12, 13, 14),
    B: odd(13, 14, 15, 16, 17),
    GAP: odd(14, 20, 21, 22, 23),
    FUSED: odd(10, 13, 14, 20, 15),
}


def test_an_object_is_of_one_kind_by_where_it_is_in_the_top():
    kinds = kinds_of({name: SCORES[name] for name in (A, B, GAP)}, 0.05)
    assert set(kinds) == set(KINDS)
    found = {kind: np.flatnonzero(is_kind).tolist() for kind, is_kind in kinds.items()}
    assert found["one_view"] == [10, 11, 12, 15, 16, 17]
    assert found["several_views"] == [13, 14]
    assert found["mismatch_only"] == [20, 21, 22, 23]
    assert len(found["ordinary"]) == N - 12


def test_looks_count_the_kinds_of_the_first_of_each_list_beside_chance():
    looks = tables(SCORES)["looks"].set_index(["detector", "view"])[list(KINDS)]
    assert looks.loc[("flow", "image")].tolist() == [3, 2, 0, 0]
    assert looks.loc[("gap", "image+spectrum")].tolist() == [0, 1, 4, 0]
    assert looks.loc[("any", "image+spectrum")].tolist() == [2, 2, 1, 0]
    np.testing.assert_allclose(looks.loc[("chance", "")], [5 * 0.06, 5 * 0.02, 5 * 0.04, 5 * 0.88])


def test_overlaps_count_what_two_lists_share_beside_chance():
    overlaps = tables(SCORES)["overlaps"].set_index(["a", "b"])
    row = overlaps.loc[("flow image", "flow spectrum")]
    assert (row["shared"], row["jaccard"], row["chance"]) == (2, 2 / 8, 25 / N)
    assert len(overlaps) == 6


def test_objects_that_a_list_lacks_and_repeats_are_left_out():
    lacking = {name: scores.copy() for name, scores in SCORES.items()}
    lacking[B][10] = np.nan
    looks = tables(lacking, repeats=[11])["looks"].set_index("detector")[list(KINDS)]
    # Of 98 objects 5 are in a top: of the image list 12, 13, 14, and then 0 and 1.
    np.testing.assert_allclose(looks.loc["chance"], np.array([6, 2, 4, 86]) * 5 / 98)


def test_a_fusion_that_leaves_objects_out_shows_the_looks_it_has():
    short = {**SCORES, FUSED: np.where(np.isin(np.arange(N), [10, 13]), SCORES[FUSED], np.nan)}
    looks = tables(short)["looks"].set_index("detector")
    assert looks.loc["any", "looks"] == 2
    assert looks.loc["any", list(KINDS)].tolist() == [1, 1, 0, 0]


def test_lists_of_a_joint_view_are_no_view_of_their_own():
    looks = tables({**SCORES, ListName("flow", (JOINT,)): odd(50)})["looks"]
    assert "joint" not in set(looks["view"])


@pytest.mark.parametrize("scores", [{A: SCORES[A]}, {A: SCORES[A][:3], B: SCORES[B][:3]}])
def test_one_view_or_too_few_objects_are_refused_in_a_line(scores):
    with pytest.raises(DataError, match="has no 5 objects that are in lists of two views") as told:
        tables(scores)
    assert "\n" not in str(told.value)
