"""A file with a few bytes wrong is read or refused in one line; none ends or holds up a process."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "damage"))
from session import READERS, session


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_damaged_files_are_read_or_refused_in_one_line(reader):
    counts, problems = session(reader, count=60, random_bytes=5000, seed=27)
    assert problems == []
    assert counts["took"] >= 1  # the sound one
    assert sum(counts.values()) == 71
