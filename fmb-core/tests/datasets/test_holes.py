import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fmb.datasets.holes import fill_holes

SKY = np.array([-7.0])


def filled(plane, good):
    return fill_holes(plane[None], good[None], SKY)[0]


def test_a_single_hole_is_the_mean_of_its_four_neighbours():
    plane = np.zeros((3, 3))
    plane[1, 0], plane[1, 2], plane[0, 1], plane[2, 1] = 1, 3, 5, 7
    good = np.ones((3, 3), dtype=bool)
    good[1, 1] = False
    assert filled(plane, good)[1, 1] == 4


def test_the_shorter_bridge_counts_more():
    plane = np.zeros((5, 7))
    plane[:, [0, 6]] = 8  # the bridge across is 6 long and gives 8, the one down is 2 long: 0
    good = np.ones((5, 7), dtype=bool)
    good[2, 1:6] = False
    assert filled(plane, good)[2, 3] == 8 * (1 / 6) / (1 / 6 + 1 / 2)


def test_a_border_gets_the_sky():
    plane, good = np.ones((4, 4)), np.ones((4, 4), dtype=bool)
    good[:, 3] = False
    np.testing.assert_array_equal(filled(plane, good)[:, 3], -7)


@given(st.integers(0, 2**32 - 1))
def test_good_pixels_stay_and_filled_ones_lie_between_them(seed):
    rng = np.random.default_rng(seed)
    plane, good = rng.normal(size=(6, 9)), rng.random((6, 9)) < 0.7
    out = filled(np.where(good, plane, np.nan), good)
    np.testing.assert_array_equal(out[good], plane[good])
    low = min(plane[good].min(initial=0), -7)
    assert ((out >= low - 1e-9) & (out <= plane[good].max(initial=0) + 1e-9)).all()
