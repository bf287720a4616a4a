"""Partners on the sky: nearest first, none twice, whatever the order of the files."""

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from fmb_surveys.joined.partners import by_place, unique_pairs


class Sky:
    """What partners are found among."""

    def __init__(self, ra, dec, ids=None):
        self.catalog = pd.DataFrame({"ra": np.asarray(ra, float), "dec": np.asarray(dec, float)})
        self.ids = np.arange(len(self)) if ids is None else np.asarray(ids)

    def __len__(self):
        return len(self.catalog)


def on_a_line(*arcsec):
    """Objects along a meridian."""
    return Sky([10.0] * len(arcsec), np.array(arcsec) / 3600)


def partners(own, other, radius=1.0):
    return by_place(own, other, radius, "here").rows.tolist()


def test_the_nearest_pair_comes_first_and_leaves_the_next_to_others():
    # 0.0 and 0.4 both lie nearest to 0.5; 0.4 has it, and 0.0 the one at -0.9.
    assert partners(on_a_line(0.0, 0.4), on_a_line(0.5, -0.9)) == [1, 0]


def test_an_object_whose_only_candidate_is_another_s_has_no_partner():
    assert partners(on_a_line(0.0, 0.4), on_a_line(0.5)) == [-1, 0]


def test_equal_separations_pair_by_id_in_any_order_of_the_files():
    own, other = ([3, 1, 2], [7.0, 7.0, 7.0]), ([30, 10, 20], [7.0, 7.0, 7.0])
    for turn in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        ids, theirs = np.array(own[0])[turn], np.array(other[0])
        a, b = Sky(own[1], own[1], ids), Sky(other[1], other[1], theirs)
        found = dict(zip(ids.tolist(), theirs[partners(a, b)].tolist(), strict=True))
        assert found == {1: 10, 2: 20, 3: 30}


@pytest.mark.parametrize("seed", range(5))
def test_pairs_are_those_of_taking_all_by_separation_one_by_one(seed):
    rng = np.random.default_rng(seed)
    a, b = (Sky(rng.uniform(0, 20, n) / 3600, rng.uniform(-10, 10, n) / 3600) for n in (60, 50))
    first = SkyCoord(a.catalog["ra"], a.catalog["dec"], unit="deg")
    second = SkyCoord(b.catalog["ra"], b.catalog["dec"], unit="deg")
    apart = first[:, None].separation(second[None]).to_value(u.arcsec)
    expected, taken = [-1] * 60, set()
    for flat in np.argsort(apart, axis=None):
        i, j = divmod(int(flat), 50)
        if apart[i, j] <= 2.0 and expected[i] < 0 and j not in taken:
            expected[i] = j
            taken.add(j)
    found = by_place(a, b, 2.0, "here")
    assert found.rows.tolist() == expected
    assert found.crowded == int(((apart <= 2.0).sum(axis=1) > 1).sum())
    have = found.rows >= 0
    # astropy's separation has an error of 1e-16 rad too.
    assert np.allclose(found.arcsec[have], apart[have, found.rows[have]], rtol=0, atol=1e-9)


def test_partners_are_found_across_zero_right_ascension_and_at_the_pole():
    near = 0.2 / 3600
    own = Sky([0.0, 10.0], [0.0, 90 - near])
    other = Sky([190.0, 360 - near], [90 - near, 0.0])
    assert partners(own, other) == [1, 0]


def test_unknown_positions_have_no_partner():
    assert partners(Sky([np.nan, 1.0], [0.0, 0.0]), Sky([1.0, np.nan], [0.0, 0.0])) == [-1, 0]
    assert partners(Sky([np.nan], [0.0]), Sky([1.0], [0.0])) == [-1]


def test_each_pair_is_taken_in_order_unless_one_of_it_is_taken():
    left, right = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 1])
    assert unique_pairs(left, right).tolist() == [0, 3]


def test_a_hundred_thousand_objects_each_find_their_own():
    ra, dec = (side.ravel() for side in np.mgrid[0:10:400j, -5:5:250j])
    order = np.random.default_rng(0).permutation(len(ra))
    other = Sky(ra[order] + 0.05 / 3600, dec[order])
    assert np.array_equal(order[partners(Sky(ra, dec), other)], np.arange(100_000))
