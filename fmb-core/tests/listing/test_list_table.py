import pandas as pd

from fmb.listing.list_table import texts_of


def test_a_rank_of_seven_digits_is_written_whole():
    row = {"rank": 1234567.5, "object_id": 2**62 + 1, "class": "", "score": 1.0}
    (text,) = texts_of(pd.DataFrame([{**row, "p_value": None, "q_value": None}]), 2_000_000)
    assert (text["rank"], text["object"]) == ("1234567.5", "4611686018427387905")
