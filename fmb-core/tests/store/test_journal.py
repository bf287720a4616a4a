"""Files that only grow: whole lines, whatever else happens to them."""

import subprocess
import sys

import pytest

from fmb.messages.errors import FailedError, StoreError
from fmb.store.journal import append_records, read_records


def test_what_was_appended_is_read_in_order(tmp_path):
    path = tmp_path / "new" / "a.jsonl"
    append_records(path, [{"n": 1}, {"n": 2}])
    append_records(path, [{"n": 2**63}])
    assert read_records(path) == ([{"n": 1}, {"n": 2}, {"n": 2**63}], 0)


def test_a_torn_line_is_counted_and_the_next_one_does_not_glue_to_it(tmp_path):
    path = tmp_path / "a.jsonl"
    append_records(path, [{"n": 1}])
    with path.open("ab") as stream:
        stream.write(b'{"n": ')
    append_records(path, [{"n": 3}])
    assert read_records(path) == ([{"n": 1}, {"n": 3}], 1)


@pytest.mark.parametrize("damage", [b"\xff\xfe\n", b"[1]\n", b"null\n", b"{\n"])
def test_a_line_that_is_no_record_takes_no_other_with_it(tmp_path, damage):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n":1}\n' + damage + b'\n{"n":2}\n')
    assert read_records(path) == ([{"n": 1}, {"n": 2}], 1)


def test_a_last_line_without_its_end_is_whole_if_it_reads(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n":1}')
    append_records(path, [{"n": 2}])
    assert read_records(path) == ([{"n": 1}, {"n": 2}], 0)


WRITE_MANY = """
import sys
from pathlib import Path
from fmb.store.journal import append_records
for n in range(20):
    append_records(Path(sys.argv[1]), [{"who": sys.argv[2], "n": n, "long": "x" * 5000}] * 2)
"""


def test_processes_that_append_at_once_keep_each_others_lines(tmp_path):
    path, times = tmp_path / "a.jsonl", 20
    commands = ([sys.executable, "-c", WRITE_MANY, str(path), who] for who in "ab")
    for job in [subprocess.Popen(command) for command in commands]:
        assert job.wait() == 0
    records, torn = read_records(path)
    assert (len(records), torn) == (2 * 2 * times, 0)
    for who in "ab":
        own = [record["n"] for record in records if record["who"] == who]
        assert own == sorted(own)


def test_a_place_that_cannot_be_written_to_or_read_is_said(tmp_path):
    (tmp_path / "a.jsonl").mkdir()
    with pytest.raises(FailedError, match=r"cannot write .*a\.jsonl"):
        append_records(tmp_path / "a.jsonl", [{}])
    with pytest.raises(StoreError, match=r"a\.jsonl: cannot be read"):
        read_records(tmp_path / "a.jsonl")
