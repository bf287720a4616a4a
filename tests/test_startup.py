"""Commands that compute nothing start at once: they import no scientific package."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = [
    "astropy",
    "h5py",
    "matplotlib",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "sklearn",
    "torch",
]

LOADED = """
import json, sys
from fmb.cli import main
try:
    main(sys.argv[1:], prog_name="fmb")
finally:
    print(json.dumps(sorted(sys.modules)))
"""


def modules_after(*arguments: str) -> set[str]:
    """Top-level modules that a command leaves loaded; the command must succeed."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        env={key: value for key, value in os.environ.items() if not key.startswith("FMB_")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["plugins"], ["plugins", "list", "--json"], ["run", "--help"]],
    ids=" ".join,
)
def test_a_command_that_computes_nothing_imports_nothing_heavy(arguments):
    assert not modules_after(*arguments) & set(HEAVY)


def test_the_card_of_a_model_and_the_list_of_weights_import_no_network():
    for arguments in (["plugins", "info", "astropt"], ["weights", "list"]):
        assert not modules_after(*arguments) & {"torch", "sklearn", "matplotlib", "huggingface_hub"}


def test_importing_the_package_imports_nothing_heavy():
    code = "import json, sys, fmb; dir(fmb); print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(json.loads(done.stdout)) & set(HEAVY)


def test_the_check_sees_what_is_imported():
    assert "pydantic" in modules_after("config", "show")
