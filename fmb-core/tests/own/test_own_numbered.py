"""Numbered columns of which not all are plain numbers: none is left out of a vector unsaid."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fmb.messages.errors import DataError

N, D = 12, 10
IDS = 100 + np.arange(N)
VALUES = np.random.default_rng(3).normal(size=(N, D)).astype(np.float32)


def columns(**other):
    return {"object_id": IDS, **{f"f{i}": VALUES[:, i] for i in range(D)}, **other}


@pytest.mark.parametrize("gap", ["--", "None", "NA", "masked", ""])
@pytest.mark.parametrize("at", [0, 5, D - 1])
def test_a_gap_in_a_csv_leaves_its_object_without_a_vector(only, read, tmp_path, gap, at):
    frame = pd.DataFrame(columns()).astype(object)
    frame.loc[7, f"f{at}"] = gap
    frame.to_csv(tmp_path / "v.csv", index=False)
    survey = read(tmp_path / "v.csv")
    assert only(survey).rows.tolist() == np.delete(np.arange(N), 7).tolist()
    assert only(survey).values.tolist() == np.delete(VALUES, 7, axis=0).tolist()
    assert survey.warnings == ["1 object has no f vector, missing or not finite: 107"]


@pytest.mark.parametrize("at", [0, 5, D - 1])
def test_a_word_among_the_numbers_of_a_csv_is_refused_by_name(read, tmp_path, at):
    frame = pd.DataFrame(columns()).astype(object)
    frame.loc[7, f"f{at}"] = "bad"
    frame.to_csv(tmp_path / "v.csv", index=False)
    with pytest.raises(DataError, match=f"'f{at}' is string and named as the numbers"):
        read(tmp_path / "v.csv")


def test_a_word_far_down_a_csv_is_refused_by_name(read, tmp_path):
    rows = [f"{i}," + ",".join(["0.123456789"] * D) for i in range(20_000)]  # two megabytes
    rows[-1] = rows[-1].removesuffix("0.123456789") + "bad"
    header = ",".join(["object_id", *(f"f{i}" for i in range(D))])
    (tmp_path / "v.csv").write_text("\n".join([header, *rows]))
    with pytest.raises(DataError, match=r"v\.csv: 'f9' holds 'bad' among the numbers of a vector"):
        read(tmp_path / "v.csv")


@pytest.mark.parametrize("at", ["f0", "f5", "f9"])
@pytest.mark.parametrize("kind", ["decimal", "truth", "nothing"])
def test_decimals_and_yes_or_no_among_numbers_of_parquet_are_numbers(
    only, read, tmp_path, at, kind
):
    values = VALUES.copy()
    number = int(at[1:])
    held = {
        "decimal": pa.array([Decimal("1.25")] * (N - 1) + [None]),
        "truth": pa.array([True] * (N - 1) + [None]),
        "nothing": pa.array([2.5] * (N - 1) + [None]),
    }[kind]
    values[:, number] = {"decimal": 1.25, "truth": 1, "nothing": 2.5}[kind]
    pq.write_table(pa.table({**columns(), at: held}), tmp_path / "v.parquet")
    survey = read(tmp_path / "v.parquet")
    assert only(survey).rows.tolist() == list(range(N - 1))
    assert only(survey).values.tolist() == values[:-1].tolist()


@pytest.mark.parametrize(
    ("name", "held"), [("f9", ["a"] * N), ("f10", ["a"] * N), ("f10", [{"a": 1}] * N)]
)
def test_what_is_numbered_with_numbers_and_none_is_refused_unless_the_vector_is_said(
    only, read, tmp_path, name, held
):
    pq.write_table(pa.table(columns(**{name: pa.array(held)})), tmp_path / "v.parquet")
    last = "f8" if name == "f9" else "f9"
    with pytest.raises(DataError, match=rf"'{name}' is .*--vector-columns 'f0-{last}'"):
        read(tmp_path / "v.parquet")
    survey = read(tmp_path / "v.parquet", vector_columns=(f"f0-{last}",))
    assert only(survey).values.shape == (N, int(last[1:]) + 1)


def test_numbered_flags_alone_are_no_vector(read, tmp_path):
    flags = {f"flag{i}": VALUES[:, i] > 0 for i in range(9)}
    pq.write_table(pa.table(columns(**flags)), tmp_path / "v.parquet")
    survey = read(tmp_path / "v.parquet")
    assert [name.view for name in survey.vectors] == ["f"]
    assert survey.catalog["flag3"].tolist() == flags["flag3"].tolist()


def test_a_column_of_parquet_that_cannot_be_read_is_left_out_by_name(read, tmp_path):
    pq.write_table(pa.table(columns(name=pa.array([b"\xff"] * N))), tmp_path / "v.parquet")
    told = f"{tmp_path}/v.parquet: left out name (bytes that are no text (UTF-8))"
    assert read(tmp_path / "v.parquet").warnings == [told]
