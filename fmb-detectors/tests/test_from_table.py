"""Scores made elsewhere: found by id, the strange end named, nothing guessed."""

import numpy as np
import pandas as pd
import pytest

from fmb import DataError, Vectors
from fmb_detectors.config import FromTableConfig
from fmb_detectors.from_table import FromTableDetector

IDS = 39627652591521181 + 1009 * np.arange(6)
SIGMA = np.array([0.5, -1.0, 3.25, 0.0, 7.5, 2.0])


def vectors(ids):
    return Vectors(np.asarray(ids), np.zeros((len(ids), 2), np.float32))


@pytest.fixture
def file(tmp_path):
    """As research code writes it: all lists in one table, in the order of none of ours."""
    parts = [
        pd.DataFrame(
            {"object_id": IDS[::-1], "embedding_key": key, "anomaly_sigma": s * SIGMA[::-1]}
        )
        for key, s in (("embedding_hsc", 1), ("embedding_spectrum", 2))
    ]
    pd.concat(parts).to_csv(tmp_path / "scores.csv", index=False)
    return tmp_path / "scores.csv"


def score(file, ids=IDS, **options):
    asked = {
        "column": "anomaly_sigma",
        "higher": "stranger",
        "rows": {"embedding_key": "embedding_hsc"},
    }
    config = FromTableConfig(file=str(file), **{**asked, **options})
    return FromTableDetector(config, seed=0).score(vectors(ids)).tolist()


def test_scores_are_found_by_id_with_every_digit(file):
    assert score(file) == SIGMA.tolist()
    assert score(file, ids=IDS[[4, 1]]) == [7.5, -1.0]
    assert score(file, rows={"embedding_key": "embedding_spectrum"}) == (2 * SIGMA).tolist()


def test_where_lower_is_stranger_the_sign_is_turned(file):
    assert score(file, higher="ordinary") == (-SIGMA).tolist()


def test_which_end_is_strange_must_be_said(file):
    with pytest.raises(ValueError, match="higher"):
        FromTableConfig(file=str(file), column="anomaly_sigma")


def test_a_changed_file_makes_another_list(file):
    asked = {"file": str(file), "column": "anomaly_sigma", "higher": "stranger"}
    before = FromTableConfig(**asked).model_dump(mode="json")
    file.write_text(file.read_text().replace("7.5", "8.5"))
    assert FromTableConfig(**asked).model_dump(mode="json") != before


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ([True, False] * 3, "yes or no"),
        (pd.array([True, None] * 3, dtype="boolean"), "yes or no"),
        (pd.date_range("2026-01-01", periods=6), "times"),
        (["a"] * 6, "text"),
    ],
)
def test_a_column_of_no_scores_is_said_to_hold_what_it_holds(tmp_path, values, what):
    table = pd.DataFrame({"object_id": IDS, "flag": values})
    table.to_parquet(tmp_path / "flags.parquet")
    with pytest.raises(DataError, match=f"column 'flag' holds {what}, not scores"):
        score(tmp_path / "flags.parquet", column="flag", rows={})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ids": [*IDS, 3, 4]}, "no score of 2 of 8 objects, for instance 3"),
        ({"column": "sigma"}, "no column is called 'sigma'; choose from object_id, embedding_key"),
        ({"rows": {}}, "6 ids stand in more than one row"),
        ({"rows": {"embedding_key": "x"}}, "no row has 'x' in column 'embedding_key'"),
        ({"column": "embedding_key"}, "holds text, not scores"),
    ],
)
def test_what_does_not_give_one_score_an_object_is_refused(file, options, message):
    with pytest.raises(DataError, match=message):
        score(file, **options)


def test_a_missing_score_is_counted(file):
    file.write_text(file.read_text().replace("3.25", ""))
    with pytest.raises(DataError, match=f"1 scores are no numbers, first of {IDS[2]}"):
        score(file)
