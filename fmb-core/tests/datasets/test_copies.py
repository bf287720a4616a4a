"""Which objects are changed copies of others."""

import pandas as pd
import pytest

from fmb.datasets.copies import changed_copies
from fmb.datasets.groups import group_keys
from fmb.messages.errors import DataError

BIG = 4_611_686_018_427_387_905  # one more than 2^62, which no float64 holds


@pytest.mark.parametrize(
    "hosts",
    [[BIG, BIG - 1, BIG], pd.array([None, None, BIG], dtype="Int64"), ["", "", str(BIG)]],
)
def test_a_copy_names_another_object_as_its_host(hosts):
    objects = pd.DataFrame({"object_id": [BIG, BIG - 1, 7], "injected_from": hosts})
    assert changed_copies(objects).tolist() == [False, False, True]
    assert group_keys(objects).tolist() == [7, BIG - 1, 7]


def test_a_survey_without_the_column_has_no_copies():
    assert not changed_copies(pd.DataFrame({"object_id": [1, 2]})).any()


def test_hosts_that_went_through_a_float_are_refused():
    objects = pd.DataFrame({"object_id": [1, 2], "injected_from": [None, 1.0]})
    with pytest.raises(DataError, match="injected_from' holds decimals"):
        changed_copies(objects)
