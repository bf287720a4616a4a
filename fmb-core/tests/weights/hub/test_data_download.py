"""`fmb data download`: a data set at a commit, accepted and locked like weights."""

import json

import pytest
from click.testing import CliRunner

from fmb.cli import main
from fmb.testing.hub_stand_in import HubStandIn

FIRST, SECOND = "a" * 40, "b" * 40
REPO = "MultimodalUniverse/sdss-toy"
PUBLISHED = {
    ".gitattributes": b"*.parquet filter=lfs",
    "README.md": b"# Spectra",
    "data/train-00000-of-00001.parquet": bytes(range(256)) * 40,
    "data/test-00000-of-00001.parquet": b"PAR1" * 100,
}
ALL = ["README.md", "data/test-00000-of-00001.parquet", "data/train-00000-of-00001.parquet"]


@pytest.fixture
def data_hub(home, monkeypatch):
    with HubStandIn(REPO, {FIRST: PUBLISHED}, {"main": FIRST}, datasets=True) as stand_in:
        monkeypatch.setenv("HF_ENDPOINT", stand_in.endpoint)
        monkeypatch.setattr("time.sleep", lambda seconds: None)
        yield stand_in


def fetch(*words, accept=True, **options):
    more = ["--accept"] if accept else []
    words = ["data", "download", *map(str, words), *more]
    return CliRunner().invoke(main, words, prog_name="fmb", **options)


def files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_every_file_of_the_commit_is_there_and_locked(data_hub, home, tmp_path):
    done = fetch(f"hf:{REPO}", "--out", tmp_path / "sdss", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["origin"] == f"hf:{REPO}@{FIRST}"
    assert files(tmp_path / "sdss") == ALL
    for name in ALL:
        assert (tmp_path / "sdss" / name).read_bytes() == PUBLISHED[name]
        assert name in done.stderr
    lock = json.loads((home / "weights.lock").read_text())["hub"][f"datasets/{REPO}"]
    assert lock["revisions"] == {"main": FIRST}
    assert sorted(lock["commits"][FIRST]) == ALL


def test_only_some_files(data_hub, tmp_path):
    done = fetch(f"hf:{REPO}", "--only", "data/train-*", "--out", tmp_path / "part")
    assert done.exit_code == 0, done.stderr
    assert files(tmp_path / "part") == [ALL[2]]
    assert fetch(f"hf:{REPO}", "--out", tmp_path / "whole").exit_code == 0
    assert files(tmp_path / "whole") == ALL
    refused = fetch(f"hf:{REPO}", "--only", "*.fits", "--out", tmp_path / "none")
    assert refused.exit_code == 2
    assert "has no file that *.fits names" in refused.stderr


def test_what_is_there_at_a_commit_needs_no_network(data_hub, tmp_path, monkeypatch):
    place = tmp_path / "sdss"
    assert fetch(f"hf:{REPO}@{FIRST}", "--out", place).exit_code == 0
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port: nobody listens
    (place / "notes.json").write_text("{}")  # of the user, who may keep more there
    assert fetch(f"hf:{REPO}@{FIRST}", "--out", place).exit_code == 0
    (place / ALL[1]).write_bytes(b"PAR0" * 100)
    changed = fetch(f"hf:{REPO}@{FIRST}", "--out", place)
    assert changed.exit_code == 2
    assert f"{ALL[1]} is not what" in changed.stderr
    assert f"fmb data download hf:{REPO}@{FIRST} --out {place}" in changed.stderr


def test_offline_is_one_line_and_leaves_no_folder(data_hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    done = fetch(f"hf:{REPO}", "--out", tmp_path / "sdss")
    assert done.exit_code == 1
    (line,) = done.stderr.strip().splitlines()
    assert f"hf:{REPO}: no connection to http://127.0.0.1:9" in line
    assert not (tmp_path / "sdss").exists()


def test_a_branch_that_moved_is_refused_and_can_be_accepted(data_hub, tmp_path):
    fetch(f"hf:{REPO}", "--out", tmp_path / "old")
    data_hub.commits[SECOND] = {**PUBLISHED, "README.md": b"# Other spectra"}
    data_hub.branches["main"] = SECOND
    refused = fetch(f"hf:{REPO}", "--out", tmp_path / "new")
    assert refused.exit_code == 2
    assert f"main moved from {FIRST}" in refused.stderr
    advice = f"fmb data download hf:{REPO}@{FIRST} --out {tmp_path / 'new'}"
    assert advice in refused.stderr
    assert not (tmp_path / "new").exists()
    taken = fetch(f"hf:{REPO}", "--out", tmp_path / "new", "--allow-moving-revision")
    assert taken.exit_code == 0
    assert (tmp_path / "new" / "README.md").read_bytes() == b"# Other spectra"


def test_a_folder_of_the_user_is_never_touched(data_hub, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("mine")
    done = fetch(f"hf:{REPO}", "--out", tmp_path / "mine")
    assert done.exit_code == 2
    assert "is there already; choose another folder" in done.stderr
    assert files(tmp_path / "mine") == ["thesis.tex"]


def test_what_nobody_accepts_is_not_there(data_hub, home, tmp_path):
    done = fetch(f"hf:{REPO}", "--out", tmp_path / "sdss", accept=False, input="n\n")
    assert done.exit_code == 2
    assert not (tmp_path / "sdss").exists()
    assert not (home / "weights.lock").exists()


def test_weights_of_the_same_name_are_another_thing(data_hub, tmp_path):
    fetch(f"hf:{REPO}", "--out", tmp_path / "sdss")
    told = CliRunner().invoke(main, ["weights", "download", "aion", f"hf:{REPO}", "--accept"])
    assert told.exit_code == 2  # the hub has no such model


@pytest.mark.parametrize("text", ["sdss", f"hf:{REPO}@a b", "hf:a/b/c"])
def test_what_is_no_reference_is_one_line(data_hub, tmp_path, text):
    done = fetch(text, "--out", tmp_path / "sdss")
    assert done.exit_code == 2
    assert "write hf:OWNER/NAME@REVISION" in done.stderr
