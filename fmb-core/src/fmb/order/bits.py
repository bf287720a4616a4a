"""Numbers that depend on nothing but a key: the same on every machine, a million at once."""

import numpy as np

from fmb.contract.arrays import Array

__all__ = ["key_bits", "scrambled"]

_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no power of it loses a bit
_TEN, _ZERO, _MINUS = np.uint64(10), np.uint64(ord("0")), np.uint64(ord("-"))
_AT_ONCE = 1 << 14
"""Keys whose numbers stay in the cache while their digits are gone through."""


def scrambled(numbers: Array) -> Array:
    """(n,), uint64: other numbers for equal ones, in which every bit depends on every bit.

    Source: the finaliser of SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).
    """
    with np.errstate(over="ignore"):  # arithmetic modulo 2**64 is meant
        mixed = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def key_bits(keys: Array) -> Array:
    """(n,), uint64, that depend on nothing but each key as text; an integer has its decimal text.

    The characters are digits to a fixed base, modulo 2^64; that number is `scrambled`.
    """
    integers = keys.dtype.kind in "iu"
    values = keys if integers else np.asarray(keys, dtype=np.str_)
    bits = np.empty(len(values), dtype=np.uint64)
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is meant
        for start in range(0, len(values), _AT_ONCE):
            part = values[start : start + _AT_ONCE]
            number = _of_integers(part) if integers else _of_texts(part)
            bits[start : start + _AT_ONCE] = scrambled(number)
    return bits


def _of_texts(keys: Array) -> Array:
    codes = np.ascontiguousarray(keys).view(np.uint32).reshape(len(keys), -1)
    number = np.zeros(len(keys), dtype=np.uint64)
    for column in codes.T:
        number = np.where(column != 0, number * _BASE + column, number)  # text is filled up with 0
    return number


def _of_integers(keys: Array) -> Array:
    rest = keys.astype(np.uint64)
    below = keys < 0
    rest = np.where(below, ~rest + np.uint64(1), rest)
    number, power = np.zeros(len(keys), dtype=np.uint64), np.uint64(1)
    ends = np.ones(len(keys), dtype=bool)  # the last digit stands there even for 0
    while True:
        higher = rest // _TEN
        number += np.where(ends, (rest - higher * _TEN + _ZERO) * power, np.uint64(0))
        power, sign = power * _BASE, ends & (higher == 0) & below
        number += np.where(sign, _MINUS * power, np.uint64(0))
        rest, ends = higher, higher != 0
        if not ends.any():
            return number
