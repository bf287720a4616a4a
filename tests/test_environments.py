"""Whatever a shell hands to `fmb`: closed streams, pipes, encodings, folders that are gone."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

NAMES = [f"Müller → {i}" for i in range(40)]


@pytest.fixture(scope="module")
def place(tmp_path_factory, process):
    """A folder with a run of 40 objects, whose names and whose path are not ASCII."""
    place = tmp_path_factory.mktemp("Ä ö")
    values = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    np.savez(place / "zé.npz", object_id=np.array(NAMES), v=values)
    words = "run --embeddings zé.npz --detector gaussian --set run.figures=[] --out mine"
    done = process(words, place)
    assert done.returncode == 0, done.stderr.decode()
    return place


def one_line(done, code=2):
    """What a command that could not work said."""
    assert (done.returncode, done.stdout) == (code, b""), done.stderr.decode()
    (line,) = done.stderr.decode().splitlines()
    return line.removeprefix("fmb: ")


@pytest.mark.parametrize("words", ["--help", "top mine"])
def test_a_reader_that_goes_away_ends_a_command_quietly(place, process, words):
    done = process(words, place, shell="{} | true")
    assert (done.returncode, done.stdout, done.stderr) == (141, b"", b"")


def test_with_its_output_closed_a_command_works_and_prints_nothing(place, process):
    done = process("top mine", place, shell="{} >&-")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_with_its_talk_and_its_input_closed_a_command_prints_what_it_always_does(place, process):
    printed = process("runs", place).stdout
    assert process("runs", place, shell="{} 2>&- <&-").stdout == printed
    assert process("nonsense", place, shell="{} 2>&-").returncode == 2


def test_a_file_never_gets_the_number_of_a_closed_stream():
    code = "import os; from fmb.cli import main; main(['paths'], standalone_mode=False);"
    code += "assert [os.readlink(f'/proc/self/fd/{i}') for i in range(3)] == ['/dev/null'] * 3"
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("no /proc")
    done = subprocess.run(
        ["bash", "-c", f'exec "$0" -c "{code}" <&- >&- 2>&-', sys.executable], check=False
    )
    assert done.returncode == 0


def test_a_full_disk_behind_the_output_is_one_line(place, process):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    done = process("top mine", place, shell="{} >/dev/full")
    assert one_line(done, 1).startswith("what is printed cannot be written: ")


def test_names_beyond_ascii_are_the_same_under_every_locale(place, process):
    printed = process("top mine", place).stdout
    assert printed.decode().count("Müller → ") == 20
    for setting in ({"LC_ALL": "C"}, {"LANG": "C"}, {"PYTHONIOENCODING": "ascii"}):
        done = process("top mine", place, **setting)
        assert (done.returncode, done.stdout, done.stderr) == (0, printed, b"")


def test_a_letter_that_the_screen_has_no_code_for_is_written_as_a_code(place, process):
    done = process("top mine -k 1", place, PYTHONIOENCODING="latin-1")
    assert done.returncode == 0
    assert "Müller \\u2192 " in done.stdout.decode("latin-1")


def test_names_that_no_library_would_take_are_refused_with_the_way_out(place, process):
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "FMB_HOME": "fmb-runs"}
    advice = "cannot be used where names are in ascii: set LC_ALL=C.UTF-8, and PYTHONUTF8 not to 0"
    assert one_line(process("top müll", place, **ascii_only)) == f"'müll' {advice}"
    told = one_line(process("runs", place, **{**ascii_only, "FMB_HOME": "höme"}))
    assert told == f"'höme' {advice}"
    assert process("runs", place, **ascii_only).returncode == 0


def test_a_file_of_a_survey_that_cannot_be_opened_for_its_name_is_named(
    make_survey, tmp_path, process
):
    survey = make_survey(tmp_path)
    (tmp_path / "tiny.h5").rename(tmp_path / "größe.h5")
    survey.write_text(survey.read_text().replace("tiny.h5", "größe.h5"), encoding="utf-8")
    done = process("data validate survey.toml", tmp_path, LC_ALL="C", PYTHONUTF8="0")
    assert "größe.h5' cannot be used where names are in ascii" in one_line(done)


def test_a_folder_whose_name_is_no_text_is_refused(tmp_path, process):
    done = process("runs", tmp_path, FMB_HOME=os.fsdecode(b"caf\xe9"))
    assert one_line(done) == r"'caf\\xe9' cannot be used where names are in utf-8: rename it"


def test_a_comma_as_decimal_sign_changes_no_number(place, process, tmp_path):
    locale = {"LOCPATH": str(tmp_path), "LC_ALL": "de_DE.UTF-8"}
    made = shutil.which("localedef") and subprocess.run(
        ["localedef", "-i", "de_DE", "-f", "UTF-8", str(tmp_path / "de_DE.UTF-8")],
        capture_output=True,
    )
    if not made or made.returncode:
        pytest.skip("no German locale can be made here")
    (tmp_path / "sitecustomize.py").write_text(
        "import locale\nlocale.setlocale(locale.LC_ALL, '')\nassert f'{0.5:n}' == '0,5'\n"
    )
    plain = process(f"export mine -o '{tmp_path}/plain.csv'", place)
    german = process(
        f"export mine -o '{tmp_path}/german.csv'", place, PYTHONPATH=str(tmp_path), **locale
    )
    assert (plain.returncode, german.returncode) == (0, 0), german.stderr.decode()
    assert (tmp_path / "german.csv").read_bytes() == (tmp_path / "plain.csv").read_bytes()


def test_in_a_folder_that_was_deleted_only_help_works(tmp_path, process):
    def in_deleted(words):
        gone = tmp_path / "gone"
        gone.mkdir()
        return process(words, gone, shell='rmdir "$PWD"; {}', FMB_HOME=str(tmp_path / "home"))

    for words in ("runs", "export -o x.csv", "run --model astropt --detector gaussian"):
        told = one_line(in_deleted(words))
        assert told == "the current folder was deleted: go to one that is there"
    assert in_deleted("--help").returncode == 0


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("~no-such-user/x", "FMB_HOME is ~no-such-user/x: nobody here is called so"),
        ("file", "FMB_HOME is file, but file is no folder: name another"),
        ("file/deeper", "FMB_HOME is file/deeper, but file is no folder: name another"),
    ],
)
@pytest.mark.parametrize("words", [["runs"], ["paths"], ["run", "--detector", "gaussian"]])
def test_a_workspace_that_can_be_none_is_refused(fmb, tmp_path, monkeypatch, named, told, words):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("FMB_HOME", named)
    result = fmb(*words)
    assert (result.exit_code, result.stderr) == (2, f"fmb: {told}\n")


@pytest.mark.parametrize(
    ("named", "folder"),
    [
        ("", "fmb-runs"),
        (" ", "fmb-runs"),
        ("with space/and Ümläut", "with space/and Ümläut"),
        ("~/runs", "user/runs"),
    ],
)
def test_a_workspace_may_be_called_anything_and_need_not_be_there(
    fmb, tmp_path, monkeypatch, named, folder
):
    monkeypatch.setenv("FMB_HOME", named)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    assert json.loads(fmb("paths", "--json").stdout)["workspace"] == str(tmp_path / folder)


def test_help_says_what_a_command_does_where_python_leaves_docstrings_out(place, process):
    for words, does in (("top", "List the strangest objects"), ("export", "Write lists into a")):
        done = process(f"{words} --help", place, PYTHONOPTIMIZE="2")
        assert does in done.stdout.decode()
