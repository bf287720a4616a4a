"""A survey is cut once: batches within limits, whatever is there already."""

import json
import os
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmb.messages.errors import StoreError
from fmb.store.claims import Claims
from fmb.store.cuts import Cut, publish_cut, read_cut


def rows_of(chunks):
    return [row for chunk in chunks for _, rows in chunk for row in rows.tolist()]


@given(seconds=st.floats(1e-6, 100), limit=st.integers(1, 5000))
def test_a_batch_takes_fifteen_seconds_at_most_and_a_chunk_ten_where_it_can(seconds, limit):
    cut = Cut.of(seconds, limit, [])
    assert 1 <= cut.batch <= limit
    assert cut.batch * seconds <= 15 or cut.batch == 1
    if cut.batch < limit:
        assert 2 * cut.batch * seconds > 15  # no smaller than it has to be
        assert cut.batch & (cut.batch - 1) == 0
    rows = cut.chunk * cut.batch
    assert rows * seconds >= 10 or 2 * rows > 4096
    assert cut.chunk == 1 or rows <= 4096
    assert cut.chunk == 1 or rows * seconds < 20


def test_every_row_is_in_one_batch_of_objects_with_the_same_inputs():
    groups = [(("image", "spectrum"), np.arange(0, 30, 2)), (("image",), np.arange(1, 30, 2))]
    chunks = Cut(batch=4, chunk=2, seconds=1, alone=(4, 0)).chunks(groups)
    assert sorted(rows_of(chunks)) == list(range(30))
    batches = [(slots, rows.tolist()) for chunk in chunks for slots, rows in chunk]
    assert batches[:3] == [
        (("image", "spectrum"), [0]), (("image", "spectrum"), [4]),
        (("image", "spectrum"), [2, 6, 8, 10]),
    ]  # fmt: skip
    assert all(len({row % 2 for row in rows}) == 1 for _, rows in batches)
    assert [len(chunk) for chunk in chunks] == [4, 2, 2, 2]


def test_the_first_cut_holds_for_everybody(tmp_path):
    path = tmp_path / "cuts" / "request.json"
    assert read_cut(path) is None
    first = Cut(64, 4, 1.5, (3, 1))
    assert publish_cut(path, first) == first
    assert publish_cut(path, Cut(8, 1, 2.0)) == first
    assert read_cut(path) == first


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"batch": 1}'])
def test_a_damaged_cut_is_one_line_that_says_what_to_do(tmp_path, content):
    (tmp_path / "cut.json").write_text(content)
    with pytest.raises(StoreError, match=r"cut\.json is damaged"):
        read_cut(tmp_path / "cut.json")


HOLD = """
import sys
from pathlib import Path
from fmb.store.claims import Claims

with Claims(Path(sys.argv[1])) as claims:
    print(claims.take("1"), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the claim "1"; closing its input ends it."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdout.readline() == "True\n"
        yield process


def test_a_claim_is_one_process_s_until_it_is_released(tmp_path, holder):
    with Claims(tmp_path) as claims:
        assert not claims.take("1")
        assert claims.take("2")
        holder.stdin.close()
        holder.wait()
        assert claims.take("1")
    assert list(tmp_path.iterdir()) == []


def test_a_claim_of_a_killed_process_is_free_at_once(tmp_path, holder):
    holder.kill()
    holder.wait()
    with Claims(tmp_path) as claims:
        assert claims.take("1")


def test_a_claim_of_another_machine_is_free_when_nobody_touches_it(tmp_path):
    path = tmp_path / "1"
    path.write_text(json.dumps({"host": f"{socket.gethostname()}-other", "pid": 1}))
    with Claims(tmp_path) as claims:
        assert not claims.take("1")
        os.utime(path, (time.time() - 119, time.time() - 119))
        assert not claims.take("1")
        os.utime(path, (time.time() - 121, time.time() - 121))
        assert claims.take("1")


def test_slow_batches_make_claims_last_longer(tmp_path):
    (tmp_path / "1").write_text('{"host": "elsewhere", "pid": 1}')
    os.utime(tmp_path / "1", (time.time() - 500, time.time() - 500))
    with Claims(tmp_path, stale=1000) as claims:
        assert not claims.take("1")
