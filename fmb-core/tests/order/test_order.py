"""Orders of keys and scores that no machine and no order of rows changes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmb.order import key_bits, stable_order

examples = settings(max_examples=100, deadline=None)
MASK = 2**64 - 1


def bits_of(text):
    """The definition, in Python's own integers: digits to a base, then SplitMix64's finaliser."""
    number = 0
    for character in text:
        number = (number * 0x9E3779B97F4A7C15 + ord(character)) & MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & MASK
    return number ^ (number >> 31)


@examples
@given(st.lists(st.text(st.characters(exclude_characters="\0"), max_size=30), min_size=1))
def test_the_bits_of_a_text_are_those_of_the_definition(texts):
    assert key_bits(np.array(texts)).tolist() == [bits_of(text) for text in texts]


@examples
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_an_integer_has_the_bits_of_its_decimal_text(numbers):
    assert key_bits(np.array(numbers)).tolist() == [bits_of(str(number)) for number in numbers]


@pytest.mark.parametrize("number", [0, 9, 10, 2**63, 2**64 - 1])
def test_so_has_one_without_a_sign(number):
    assert key_bits(np.array([number], dtype=np.uint64)).tolist() == [bits_of(str(number))]


def test_keys_beyond_the_first_portion_have_the_same_bits():
    numbers = np.arange(40_000)
    assert np.array_equal(key_bits(numbers)[39_990:], key_bits(numbers[39_990:]))


def test_bits_of_a_million_neighbours_all_differ_and_every_bit_is_fair():
    bits = np.sort(key_bits(np.arange(10**17, 10**17 + 10**6)))
    assert (bits[1:] > bits[:-1]).all()
    for bit in range(64):
        ones = int(((bits >> np.uint64(bit)) & np.uint64(1)).sum())
        assert abs(ones - 500_000) < 5 * 500  # five standard deviations of a fair coin


@examples
@given(st.lists(st.integers(0, 3) | st.floats(-1, 1), min_size=0, max_size=50))
def test_the_order_keeps_equal_values_as_they_come(values):
    expected = sorted(range(len(values)), key=lambda i: values[i])
    assert stable_order(np.array(values, dtype=float)).tolist() == expected


def test_text_is_ordered_by_code_point():
    assert stable_order(np.array(["b", "B", "a", "b"])).tolist() == [1, 2, 0, 3]
