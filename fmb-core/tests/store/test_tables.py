"""Tables on disk come back as they went, however long."""

import numpy as np
import pandas as pd
import pytest

from fmb.messages.errors import StoreError
from fmb.store.tables import read_meta, read_table, write_table


@pytest.mark.parametrize("n", [0, 1, 300_000])
def test_a_table_comes_back_with_its_types_units_and_meta(tmp_path, n):
    rows = np.arange(n)
    table = pd.DataFrame(
        {
            "object_id": rows + 2**60,
            "score": np.where(rows % 7 == 0, np.nan, rows / 3),
            "fold": pd.array(rows % 5, dtype="Int16"),
            "is_repeat": pd.array(rows % 2 == 0, dtype="boolean"),
            "label": pd.array([f"kind {i % 3}" for i in range(n)], dtype="str"),
        }
    )
    table.attrs = {"units": {"score": "nat"}, "roles": {"class": "label"}}
    path = tmp_path / "table.parquet"
    write_table(path, table, {"key": "k"})
    back = read_table(path)
    pd.testing.assert_frame_equal(back, table)
    assert back.attrs == table.attrs
    assert read_meta(path)["key"] == "k"
    assert [file.name for file in tmp_path.iterdir()] == ["table.parquet"]


def test_a_table_of_no_columns_is_one_too(tmp_path):
    write_table(tmp_path / "t.parquet", pd.DataFrame(), {})
    assert read_table(tmp_path / "t.parquet").empty


def test_a_damaged_table_is_named(tmp_path):
    path = tmp_path / "t.parquet"
    write_table(path, pd.DataFrame({"a": [1, 2]}), {})
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(StoreError, match=r"t\.parquet is damaged"):
        read_table(path)
