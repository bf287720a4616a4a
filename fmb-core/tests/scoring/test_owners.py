"""Owners of a list: named when it is neither an accident nor a trifle."""

import numpy as np
import pytest
from scipy.stats import binom

from fmb.messages.errors import ShapeError
from fmb.scoring.owners import owners


def a_list(n, fields, own, at):
    """Names of n objects in `fields` by turns; so many of F7 stand in front, the others behind."""
    names = np.array([f"F{i}" for i in np.arange(n) % fields])
    others = names[names != "F7"]
    return np.concatenate([["F7"] * own, others[:at], ["F7"] * (n // fields - own), others[at:]])


def test_a_field_that_owns_the_head_is_named_with_counts():
    (found,) = owners(a_list(2000, 25, own=31, at=69))
    assert str(found) == "F7 owns 31 of the top 100; its share is 4"
    assert found.p_value == pytest.approx(binom.sf(30, 100, 0.04), rel=1e-9)


def test_in_the_strangest_five_percent_twice_the_share_is_worth_a_word():
    # Of 10,000 the head is 500, and 4 % of it are 20: 60 is three times that, 30 is not twice.
    (found,) = owners(a_list(10_000, 25, own=60, at=9000))
    assert (found.owned, found.head) == (60, 100)  # five times its share in the looks goes first
    spread = a_list(10_000, 25, own=0, at=0)
    front = np.concatenate([spread[spread != "F7"][:440], ["F7"] * 60])
    (found,) = owners(np.concatenate([front, ["F7"] * 340, spread[spread != "F7"][440:]]))
    assert str(found) == "F7 owns 60 of the top 500; its share is 20"
    assert found.p_value == pytest.approx(binom.sf(59, 500, 0.04), rel=1e-9)


def test_who_owns_the_looks_and_more_of_the_head_is_told_by_the_looks():
    names = np.array([f"F{i}" for i in np.arange(10_000) % 25])
    others, own = names[names != "F7"], np.full(400, "F7")
    head = np.concatenate([own[:25], others[:75], own[:200], others[75:275]])
    (found,) = owners(np.concatenate([head, own[225:], others[275:]]))
    # 225 of the strangest 500 are less of an accident than 25 of 100, where people look.
    assert (found.owned, found.head) == (25, 100)


def test_a_list_in_random_order_names_nobody():
    rng = np.random.default_rng(1)
    names = np.array([f"F{i}" for i in np.arange(4000) % 24])
    # At most 2.5 % of 200 lists: 5, and 12 with a chance of 0.2 %.
    assert sum(bool(owners(rng.permutation(names))) for _ in range(200)) <= 12


def test_an_excess_that_is_sure_and_small_is_not_named():
    # 1.8 times its share of the 4,000 in the head of 80,000: sure, and a trifle.
    rng = np.random.default_rng(2)
    chance = np.where(np.arange(80_000) < 4_000, 0.072, 0.04)
    names = np.where(rng.random(80_000) < chance, "F1", "other")
    assert binom.sf((names[:4000] == "F1").sum() - 1, 4000, 0.042) < 1e-6
    assert owners(names) == []


def test_three_objects_of_a_tiny_field_are_no_reason_and_four_are():
    def names(k):
        return np.array(["tiny"] * k + [f"F{i % 5}" for i in range(2000 - k)])

    assert owners(names(3)) == []
    assert [one.name for one in owners(names(4))] == ["tiny"]


def test_all_owners_are_tested_together():
    # Four of the top 100 from a field of 8 in 3,600 are sure by themselves, not among 450 fields.
    names = np.array([f"F{i % 450}" for i in range(3600)])
    behind = np.concatenate([["F5"] * 4, names[names != "F5"]])
    every = np.concatenate([["F5"] * 4, np.roll(behind, 2000)])
    assert 0.025 / 900 < binom.sf(3, 100, 8 / 3600) < 0.025 / 4
    assert [one.name for one in owners(np.where(every == "F5", "F5", "others"))] == ["F5"]
    assert owners(every) == []


def test_objects_of_nobody_count_in_the_list_and_own_nothing():
    names = np.array([""] * 60 + ["F1"] * 40 + ["F2", "F3"] * 950)
    (found,) = owners(names)
    assert (found.name, found.owned, found.share) == ("F1", 40, 40 / 2000)


def test_one_field_that_is_the_whole_survey_owns_nothing():
    assert owners(np.full(500, "F1")) == []
    assert owners(np.full(0, "F1")) == []


def test_names_are_one_an_object():
    with pytest.raises(ShapeError, match="one an object"):
        owners(np.full((3, 2), "F1"))
