"""The strength at which half of the copies are found, where strengths are steps and a range."""

import numpy as np
import pytest

from fmb_analyses.evaluate.half_recall import first_crossing, strength_parts


def test_steps_stand_for_themselves():
    parts = strength_parts(np.tile([0.0, 0.5, 1.0], 4))
    assert [step for step, _ in parts] == [0.0, 0.5, 1.0]
    assert [int(copies.sum()) for _, copies in parts] == [4, 4, 4]


def test_a_range_is_cut_into_parts_of_equally_many_copies():
    strength = np.random.default_rng(0).permutation((np.arange(60) + 0.5) / 60)
    parts = strength_parts(strength)
    assert [step for step, _ in parts] == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9])
    assert [int(copies.sum()) for _, copies in parts] == [12] * 5
    assert np.sum([copies for _, copies in parts], axis=0).tolist() == [1] * 60


@pytest.mark.parametrize("strength", [np.linspace(0, 1, 29), np.full(60, 0.5), np.full(60, np.nan)])
def test_few_copies_of_a_range_or_one_strength_tell_nothing(strength):
    assert strength_parts(strength) == []


def test_the_crossing_of_a_range_is_where_half_are_found():
    """Found are copies above 0.62, so the truth is known; parts of 12 see it within theirs."""
    strength = (np.arange(60) + 0.5) / 60
    parts = strength_parts(strength)
    recalls = np.array([[np.mean(strength[copies] > 0.62) for _, copies in parts]])
    found = first_crossing([step for step, _ in parts], recalls)[0]
    assert abs(found - 0.62) < 0.1  # half a part


def test_where_even_the_strongest_are_not_found_there_is_no_crossing():
    assert first_crossing([0.0, 1.0], np.array([[0.1, 0.4], [0.5, 0.9]])).tolist() == [np.inf, 0.0]
