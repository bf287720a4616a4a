"""A result is kept once, under all that its value depends on."""

import json

import pytest

from fmb import StoreError
from fmb_analyses.results import Measured, ResultBook

ABOUT = {"survey": "s", "metric": "auroc", "kind": "lens", "conditions": {"looks": 100}}
VALUE = Measured(0.8, 0.7, 0.9, 0.5, 1000, 60)


def test_a_result_is_found_by_what_it_depends_on_and_by_nothing_else(tmp_path):
    book = ResultBook(tmp_path)
    book.add([(ABOUT, VALUE)])
    again = ResultBook(tmp_path)
    assert again.find(ABOUT).measured == VALUE
    assert again.find(dict(reversed(ABOUT.items()))).measured == VALUE
    for name in ABOUT:
        assert again.find({**ABOUT, name: "other"}) is None


def test_a_result_that_was_not_reached_is_kept_as_null(tmp_path):
    book = ResultBook(tmp_path)
    book.add([(ABOUT, Measured(None, 0.4, None, 0.0, 10, 5))])
    (path,) = book.folder.iterdir()
    assert json.loads(path.read_text())["value"] is None
    assert book.find(ABOUT).measured.low == 0.4


def test_results_are_found_by_some_of_their_fields(tmp_path):
    book = ResultBook(tmp_path)
    book.add([({**ABOUT, "kind": kind}, VALUE) for kind in ("lens", "agn")])
    assert [r.about["kind"] for r in book.query(kind="agn", metric="auroc")] == ["agn"]
    assert len(list(book.query(survey="s"))) == 2
    assert not list(book.query(survey="t"))


def test_a_damaged_result_is_named(tmp_path):
    book = ResultBook(tmp_path)
    book.add([(ABOUT, VALUE)])
    (path,) = book.folder.iterdir()
    path.write_text('{"format": "fmb-result/1"}')
    with pytest.raises(StoreError, match="is damaged; remove it"):
        book.find(ABOUT)
