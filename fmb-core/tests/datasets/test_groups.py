import numpy as np
import pandas as pd
import pytest

from fmb.datasets.groups import group_keys

ARCSEC = 1 / 3600


def table(**columns):
    return pd.DataFrame(columns)


def test_objects_without_group_or_position_are_alone():
    assert group_keys(table(object_id=[3, 1])).tolist() == [3, 1]


@pytest.mark.parametrize("group", [None, ["x", "y", "x"]])
def test_keys_are_of_the_kind_of_the_ids(group):
    more = {} if group is None else {"group": group}
    numbers = group_keys(table(object_id=np.array([7, 8, 9], dtype=np.uint64), **more))
    assert numbers.dtype == np.uint64
    assert group_keys(table(object_id=["c", "b", "a"], **more)).dtype.kind == "U"


def test_equal_values_of_the_group_column_are_one_source():
    keys = group_keys(table(object_id=[5, 4, 9], group=["a", "b", "a"]))
    assert keys.tolist() == [5, 4, 5]


@pytest.mark.parametrize("missing", [None, "", np.nan])
def test_a_missing_group_ties_nobody(missing):
    keys = group_keys(table(object_id=[1, 2], group=[missing, missing]))
    assert keys.tolist() == [1, 2]


def test_rows_within_an_arcsecond_are_one_source_also_across_the_meridian():
    ra = [0.2 * ARCSEC, 360 - 0.2 * ARCSEC, 10.0]
    keys = group_keys(table(object_id=[2, 1, 3], ra=ra, dec=[0.0, 0.0, 0.0]))
    assert keys.tolist() == [1, 1, 3]


def test_the_distance_is_on_the_sphere():
    # 1.2 arcsec of right ascension are 0.6 arcsec at declination 60.
    ra = [50.0, 50.0 + 1.2 * ARCSEC]
    assert len(set(group_keys(table(object_id=[1, 2], ra=ra, dec=[60.0, 60.0])))) == 1
    assert len(set(group_keys(table(object_id=[1, 2], ra=ra, dec=[0.0, 0.0])))) == 2


def test_a_chain_of_neighbours_is_one_source():
    ra = [0.0, 0.8 * ARCSEC, 1.6 * ARCSEC]
    assert len(set(group_keys(table(object_id=[1, 2, 3], ra=ra, dec=[0.0] * 3)))) == 1


def test_an_object_without_a_position_is_alone():
    keys = group_keys(table(object_id=[1, 2], ra=[np.nan, np.nan], dec=[0.0, 0.0]))
    assert keys.tolist() == [1, 2]


def test_keys_do_not_depend_on_the_order_of_rows():
    rng = np.random.default_rng(0)
    whole = table(
        object_id=rng.permutation(500), group=[f"g{i}" for i in rng.integers(0, 200, 500)]
    )
    shuffled = whole.sample(frac=1, random_state=1)
    a = dict(zip(whole["object_id"], group_keys(whole), strict=True))
    b = dict(zip(shuffled["object_id"], group_keys(shuffled), strict=True))
    assert a == b


def test_positions_that_are_none_on_the_sky_tie_nobody():
    objects = pd.DataFrame(
        {"object_id": [1, 2, 3, 4], "ra": [10.0, 10.0, 190.0, 730.0], "dec": [80.0, 100.0, 80, 80]}
    )
    # 100 degrees would be 80 on the meridian opposite, and 730 be 10.
    assert group_keys(objects).tolist() == [1, 2, 3, 4]
