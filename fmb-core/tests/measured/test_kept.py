"""Measures are kept by the input they were read off."""

import numpy as np
import pytest

from fmb.measured.kept import KeptMeasures


@pytest.fixture
def kept(tmp_path):
    store = KeptMeasures(tmp_path / "inputs", {"instrument": "camera"}, ("sky", "noise"))
    store.open()
    return store


def digests(*numbers):
    return np.array([[number] * 16 for number in numbers], dtype=np.uint8)


def test_what_was_written_is_found_by_digest_in_any_order(kept):
    kept.write(digests(1, 2), np.array([[1.0, 10.0], [2.0, np.nan]]))
    kept.write(digests(3), np.array([[3.0, 30.0]]))
    values, there = kept.find(digests(3, 9, 2, 1))
    assert there.tolist() == [True, False, True, True]
    np.testing.assert_array_equal(values, [[3, 30], [np.nan] * 2, [2, np.nan], [1, 10]])


def test_what_is_there_is_not_written_again(kept):
    kept.write(digests(1, 2, 1), np.array([[1.0, 1.0], [2.0, 2.0], [1.0, 1.0]]))
    kept.write(digests(2, 1), np.array([[5.0, 5.0], [5.0, 5.0]]))
    assert [part.record["rows"] for part in kept.parts()] == [2]
    assert kept.find(digests(1, 2))[0].tolist() == [[1, 1], [2, 2]]


def test_another_process_sees_what_was_published(kept, tmp_path):
    kept.find(digests(1))
    other = KeptMeasures(tmp_path / "inputs", {"instrument": "camera"}, ("sky", "noise"))
    other.open()
    other.write(digests(1), np.array([[4.0, 4.0]]))
    assert kept.find(digests(1))[1].tolist() == [True]
