"""Folders that nobody may write to: of the survey, of the code, the current one, the workspace."""

import os
import re
import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
# For root, no folder is read-only; without these rights it is as anybody.
NO_RIGHTS = "-dac_override,-dac_read_search"
AS_ANYBODY = f"setpriv --bounding-set={NO_RIGHTS} --inh-caps={NO_RIGHTS} {{}}"
ODD = {
    "HOME": None,
    "TMPDIR": "/dev/null/gone",
    "OMP_NUM_THREADS": "64",
    "COLUMNS": "abc",
    "TERM": "dumb",
    "NO_COLOR": "1",
    "PYTHONWARNINGS": "error",
    "PYTHONDONTWRITEBYTECODE": "1",
}
WATCH = """
import os, sys

def look(event, about):
    path = os.path.abspath(os.fsdecode(about[0])) if about and isinstance(about[0], str) else ""
    writes = event == "open" and about[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if path.startswith(CODE) and (writes or event in ("os.mkdir", "os.rename", "os.remove")):
        os.write(2, f"{event} {path}\\n".encode())

sys.addaudithook(look)
"""


@pytest.fixture(scope="module")
def as_anybody():
    """The line of bash that runs a command without the rights of root."""
    if os.geteuid() != 0:
        return "{}"
    if shutil.which("setpriv") is None:
        pytest.skip("as root, without setpriv to give rights up")
    return AS_ANYBODY


@pytest.fixture
def read_only(survey):
    """The folder of a survey in which nothing can be made."""
    folder = survey.parent
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


def test_a_survey_and_code_that_cannot_be_written_to_are_all_a_run_needs(
    read_only, tmp_path, process, as_anybody
):
    """And neither a home, nor a folder for temporary files, nor settings that make sense."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(f"CODE = {str(REPOSITORY)!r}\n{WATCH}")
    words = "run --model astropt --weights tiny --detector gaussian --data survey.toml"
    setting = {"FMB_HOME": str(tmp_path / "home"), "PYTHONPATH": str(site), **ODD}
    done = process(words, read_only, shell=as_anybody, **setting)
    assert done.returncode == 0, done.stderr.decode()
    told = done.stderr.decode().splitlines()
    progress = re.compile(r".*: [\d,]+ of [\d,]+.* left")  # of a machine that has much else to do
    said = [line for line in told if not progress.fullmatch(line)]
    assert [line for line in said if not line.startswith("note: ")] == []
    assert len(list((tmp_path / "home").glob("runs/*/plots/*.png"))) == 10
    assert sorted(path.name for path in read_only.iterdir()) == ["survey.toml", "tiny.h5"]


def test_without_a_place_for_a_workspace_a_run_says_how_to_name_one(read_only, process, as_anybody):
    words = "run --model astropt --weights tiny --detector gaussian --data survey.toml"
    done = process(words, read_only, shell=as_anybody)
    (line,) = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout) == (1, b"")
    assert line.startswith("fmb: cannot make fmb-runs: ")
    assert line.endswith("; choose another workspace with FMB_HOME")


def test_a_workspace_that_cannot_be_written_to_can_be_read(fmb, home, survey, process, as_anybody):
    run = ("run", "--model", "astropt", "--detector", "gaussian", "--data", survey)
    assert fmb(*run, "--weights", "tiny", "--out", "mine").exit_code == 0
    printed = fmb("top", "mine").stdout
    folders = [path for path in (home, *home.rglob("*")) if path.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    try:
        for words, expected in (("top mine", printed), ("object 21271 --run mine", None)):
            done = process(words, home.parent, shell=as_anybody, FMB_HOME=str(home))
            assert (done.returncode, done.stderr) == (0, b"")
            assert expected in (None, done.stdout.decode())
        done = process("plot mine", home.parent, shell=as_anybody, FMB_HOME=str(home))
        assert done.returncode == 1
        assert done.stderr.decode().startswith(f"fmb: no permission to write in {home}; ")
    finally:
        for folder in folders:
            folder.chmod(0o755)
