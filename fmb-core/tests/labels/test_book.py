"""Lines of labels that somebody else wrote, or a crash tore, are counted and left out."""

import json

import pytest

from fmb.labels.book import Event, LabelBook

GOOD = Event(
    "2026-11-27T12:00:00.000000+00:00",
    "me@here",
    "17",
    "int64",
    "merger",
    10.0,
    -5.0,
    "r",
    "l",
    3.0,
)


def written(folder, **changes):
    book = LabelBook(folder)
    path = book.add([GOOD])
    record = json.loads(path.read_text())
    with path.open("a") as stream:
        stream.write(json.dumps(record | changes) + "\n")
    return book


@pytest.mark.parametrize(
    "changes",
    [
        {"ra": "abc"}, {"dec": float("nan")}, {"rank": "b"}, {"rank": True}, {"time": "zzz"},
        {"time": "2026-11-27T12:00:00"}, {"object_id": ""}, {"object_id": "x"}, {"class": "a b/c"},
        {"run": 3}, {"who": None}, {"extra": 1}, {"id_type": "float"},
    ],
)  # fmt: skip
def test_a_line_with_a_field_that_cannot_be_is_no_label(tmp_path, changes):
    events, torn = written(tmp_path, **changes).events()
    assert (events, torn) == ([GOOD], 1)


def test_a_line_without_end_is_no_label(tmp_path):
    book = written(tmp_path)
    with next(tmp_path.glob("*.jsonl")).open("a") as stream:
        stream.write("[" * 400_000)
    events, torn = book.events()
    assert (len(events), torn) == (2, 1)
