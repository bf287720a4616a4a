"""`fmb data subset`: a copy of some objects that opens again equal."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from observed_in_part import PER_ROW, Simulated, reopen

from fmb.cli import main
from fmb_surveys.files.reader import write_survey


def subset(*words):
    return CliRunner().invoke(main, ["data", "subset", *map(str, words)], prog_name="fmb")


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))
    write_survey(tmp_path / "source", Simulated())
    return tmp_path / "source"


def test_the_chosen_objects_are_there_with_all_that_was_observed(tmp_path, source):
    wanted = [2**62 + 1, -1, 2**53 + 1]
    (tmp_path / "ids.txt").write_text("\n".join(map(str, wanted)))
    done = subset(source, "--ids", tmp_path / "ids.txt", "--out", tmp_path / "some", "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["objects"], told["of"]) == (3, 7)
    assert told["ids"] == [str(one) for one in sorted(wanted)]
    whole, some = reopen(source), reopen(tmp_path / "some")
    assert some.ids.tolist() == sorted(wanted)
    rows = [whole.ids.tolist().index(one) for one in some.ids.tolist()]
    a, b = whole.read(np.array(rows)), some.read(np.arange(3))
    assert list(a.inputs) == list(b.inputs) == ["cam", "own", "shared"]
    for name, data in a.inputs.items():
        assert a.rows[name].tolist() == b.rows[name].tolist()
        for field in PER_ROW:
            x, y = getattr(data, field, None), getattr(b.inputs[name], field, None)
            assert (x is None) is (y is None)
            assert x is None or np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
    assert some.catalog.attrs["units"] == whole.catalog.attrs["units"]
    assert some.catalog.attrs["roles"] == whole.catalog.attrs["roles"]
    assert some.catalog["partner"].tolist() == whole.catalog["partner"].iloc[rows].tolist()
    assert some.warnings == whole.warnings
    assert some.identity["selection"]


def test_the_copy_needs_nothing_of_its_source(tmp_path, source):
    subset(source, "--where", "tile < 3", "--out", tmp_path / "some")
    before = reopen(tmp_path / "some").read(np.arange(3))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "some").rename(tmp_path / "elsewhere" / "some")
    for path in source.iterdir():
        path.unlink()
    after = reopen(tmp_path / "elsewhere" / "some").read(np.arange(3))
    assert np.array_equal(after.inputs["cam"].flux, before.inputs["cam"].flux)


def test_what_was_taken_from_the_files_is_still_told(tmp_path, source):
    toml = source / "survey.toml"
    toml.write_text('described = ["cam unit: nmgy, by BUNIT"]\n' + toml.read_text())
    subset(source, "--limit", 2, "--out", tmp_path / "some")
    assert reopen(tmp_path / "some").described == ["cam unit: nmgy, by BUNIT"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "say which objects: --ids FILE, --where EXPR, --limit N"),
        (("--where", "snt > 1"), "snr"),
        (("--ids", "gone.txt"), "gone.txt"),
        (("--limit", "2", "--set", "data.where=1"), "write data.KEY=VALUE"),
    ],
)
def test_what_cannot_be_copied_is_one_line_and_leaves_nothing(tmp_path, source, words, told):
    done = subset(source, *words, "--out", tmp_path / "some")
    assert done.exit_code == 2
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "some").exists()
