"""Folds over groups, by hash and on the sky."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmb.messages.errors import ConfigError, DataError, ShapeError
from fmb.scoring.folds import assign_folds, healpix_cells, sky_folds

examples = settings(max_examples=50, deadline=None)

groups_lists = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=12, max_size=60, unique=True)


def uniform_sky(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))


@examples
@given(groups_lists, st.integers(2, 12), st.randoms())
def test_the_order_of_rows_changes_no_fold(keys, k, random):
    groups = np.array(keys * 2)
    at = np.array(random.sample(range(len(groups)), len(groups)))
    assert np.array_equal(assign_folds(groups, k)[at], assign_folds(groups[at], k))


@examples
@given(groups_lists, st.integers(2, 12))
def test_a_group_is_never_split_and_folds_differ_by_one_group_at_most(keys, k):
    fold = assign_folds(np.array(keys * 2), k)
    assert np.array_equal(fold[: len(keys)], fold[len(keys) :])
    sizes = np.bincount(fold[: len(keys)], minlength=k)
    assert sizes.min() >= len(keys) // k >= 1
    assert sizes.max() - sizes.min() <= 1


def test_an_id_and_its_text_fall_into_one_fold():
    ids = np.arange(10**18, 10**18 + 50)
    assert np.array_equal(assign_folds(ids, 5), assign_folds(ids.astype(str), 5))
    assert np.array_equal(assign_folds(ids, 5), assign_folds(ids.astype(np.uint64), 5))


def test_folds_do_not_follow_the_order_of_ids():
    fold = assign_folds(np.arange(1000), 5)
    # A run of equal neighbours is as frequent as chance has it: 1/5, within 4 standard errors.
    assert np.mean(fold[1:] == fold[:-1]) == pytest.approx(0.2, abs=4 * (0.16 / 999) ** 0.5)


def test_fewer_groups_than_folds_is_one_clear_error():
    with pytest.raises(DataError, match="4 groups of objects cannot fill 5 folds"):
        assign_folds([1, 1, 2, 3, 4, 4], 5)


def test_one_fold_is_no_cross_fit():
    with pytest.raises(ConfigError, match="at least 2 folds, got 1"):
        assign_folds([1, 2, 3], 1)


def test_a_missing_group_is_named():
    with pytest.raises(DataError, match="1 of 3 objects have no group key"):
        assign_folds(np.array(["a", None, "b"], dtype=object), 2)


def test_group_keys_that_went_through_a_float_are_refused():
    with pytest.raises(DataError, match="floating-point"):
        assign_folds([1.0, 2.0, np.nan], 2)


@pytest.mark.parametrize("nside", [1, 2, 8])
def test_the_centre_of_every_healpix_cell_lies_in_it(nside):
    # Centres by the formulae of Gorski et al. 2005: ring i from the north, cell j in it. In every
    # second ring of the belt cell 1 is centred on right ascension 0.
    pixel, ra, dec = [], [], []
    start = 0
    for i in range(1, 4 * nside):
        cap = min(i, 4 * nside - i, nside)
        cells = 4 * cap
        if i < nside:
            z, s = 1 - i**2 / (3 * nside**2), 1
        elif i <= 3 * nside:
            z, s = 4 / 3 - 2 * i / (3 * nside), 2 - (i - nside + 1) % 2
        else:
            z, s = -1 + (4 * nside - i) ** 2 / (3 * nside**2), 1
        for j in range(1, cells + 1):
            pixel.append(start + j - 1)
            ra.append(90 / cap * (j - s / 2))
            dec.append(np.degrees(np.arcsin(z)))
        start += cells
    assert start == 12 * nside**2
    assert healpix_cells(np.array(ra), np.array(dec), nside).tolist() == pixel


def test_healpix_cells_have_equal_areas():
    ra, dec = uniform_sky(200_000)
    counts = np.bincount(healpix_cells(ra, dec, 4), minlength=192)
    chi_square = np.sum((counts - 200_000 / 192) ** 2) / (200_000 / 192)
    assert chi_square < 191 + 4 * (2 * 191) ** 0.5  # mean and 4 sigma of 191 degrees of freedom


def test_healpix_knows_the_poles_and_right_ascensions_of_a_turn_more():
    poles = healpix_cells(np.zeros(2), np.array([90.0, -90.0]), 16)
    assert poles.tolist() == [0, 12 * 16**2 - 4]
    ra, dec = uniform_sky(100)
    assert np.array_equal(healpix_cells(ra, dec, 16), healpix_cells(ra - 360, dec, 16))


@pytest.mark.parametrize("field_deg", [360.0, 20.0, 1.5])
def test_sky_folds_are_whole_cells_and_balanced(field_deg):
    ra, dec = uniform_sky(3000)
    ra, dec = 40 + ra * field_deg / 360, dec * field_deg / 360
    got = sky_folds(ra, dec, np.arange(3000), 5)
    cells = healpix_cells(ra, dec, got.nside)
    assert all(len(set(got.fold[cells == cell])) == 1 for cell in np.unique(cells))
    assert got.cells >= 50
    sizes = np.bincount(got.fold, minlength=5)
    assert sizes.min() > 0
    assert sizes.max() <= 1.25 * 600
    assert f"{got.cells} occupied HEALPix cells" in str(got)


@examples
@given(st.randoms())
def test_sky_folds_split_no_group_and_know_no_row_order(random):
    ra, dec = uniform_sky(400)
    groups = np.arange(400) // 2  # pairs anywhere on the sky: most of them straddle cells
    at = np.array(random.sample(range(400), 400))
    got = sky_folds(ra, dec, groups, 4).fold
    assert np.array_equal(got[::2], got[1::2])
    assert np.array_equal(got[at], sky_folds(ra[at], dec[at], groups[at], 4).fold)


def test_a_field_too_small_for_sky_folds_says_so():
    ra, dec = uniform_sky(500)
    with pytest.raises(DataError, match=r"need 50 evenly filled cells .* 500 objects fill"):
        sky_folds(150 + ra / 3600, 2 + dec / 3600, np.arange(500), 5)


def test_one_crowded_spot_is_not_balanced():
    ra, dec = uniform_sky(500)
    ra[:300], dec[:300] = 10.0, 10.0
    with pytest.raises(DataError, match="sky folds need"):
        sky_folds(ra, dec, np.arange(500), 5)


@pytest.mark.parametrize("bad", [(np.nan, 0.0), (0.0, 91.0), (np.inf, 0.0)])
def test_a_position_off_the_sphere_is_counted(bad):
    ra, dec = uniform_sky(100)
    ra[7], dec[7] = bad
    with pytest.raises(
        DataError, match=r"1 of 100 objects have no valid ra and dec \(first row: 7"
    ):
        sky_folds(ra, dec, np.arange(100), 2)


def test_positions_of_another_table_are_refused():
    with pytest.raises(ShapeError, match="do not fit together"):
        sky_folds([0.0, 1.0], [0.0, 1.0], [1, 2, 3], 2)
