"""TOML with comments reads back as what was written."""

import tomllib

from fmb.terminal.toml_text import toml_text

TABLES = {
    "format": "x/1",
    "run": {"seed": 0, "verify": False, "rate": 0.5, "names": ["a", 'b "c"'], "empty": []},
    "data": {"where": "mag < 22 and " * 9, "files": [{"a b": [1, 2]}, {}], "text": "two\nlines"},
    "model": {"a": {"use": "a", "input": {"image": "euclid", "the spectrum": "desi"}}, "b": {}},
}


def test_it_reads_back_as_what_was_written_but_for_empty_tables():
    text = toml_text(TABLES, lambda path: "from " + ".".join(path))
    model = {"a": TABLES["model"]["a"]}
    assert tomllib.loads(text) == {**TABLES, "model": model}


def test_a_comment_stands_beside_its_value_or_above_it():
    lines = toml_text(TABLES, lambda path: "from " + ".".join(path)).splitlines()
    assert "seed = 0  # from run.seed" in lines
    assert 'image = "euclid"  # from model.a.input.image' in lines
    at = lines.index("# from data.where")
    assert lines[at + 1].startswith("where = ")
    assert all(len(line) <= 80 for line in lines if line != lines[at + 1])
