"""`fmb retrain` stands beside the core's commands, and what it may refuse before it trains."""

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from fmb import CommandSpec
from fmb.cli import main
from fmb_train.plugin import fmb_register_commands


def fmb(*args):
    return CliRunner().invoke(main, list(map(str, args)), prog_name="fmb")


def test_the_plugin_brings_one_command():
    [spec] = fmb_register_commands()
    assert isinstance(spec, CommandSpec)
    assert (spec.name, spec.group) == ("retrain", "")


def test_the_command_is_listed_with_its_summary():
    [spec] = fmb_register_commands()
    shown = fmb("--help").stdout
    assert re.search(rf"^ +retrain +{re.escape(spec.summary)}", shown, flags=re.MULTILINE)


def test_listing_the_command_imports_nothing_of_it():
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from fmb.cli import main\n"
        "shown = CliRunner().invoke(main, ['--help']).stdout\n"
        "assert 'retrain' in shown, shown\n"
        "assert not {'fmb_train.command', 'torch', 'numpy', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_its_help_names_what_must_be_given_and_the_way_to_other_settings():
    shown = fmb("retrain", "--help").stdout
    for option in ("--weights", "--out", "--data", "--resume", "--dry-run"):
        assert option in shown
    assert "--set train.epochs=20" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["aion", "--out", "w"], "retrain: missing option '--weights'"),
        (["aion", "--weights", "random"], "retrain: missing option '--out'"),
        (["--weights", "random", "--out", "w"], "retrain: missing argument 'MODEL'"),
        (["aion", "--weigths", "random"], "did you mean '--weights'"),
    ],
)
def test_what_is_missing_or_misspelt_is_one_line(args, told):
    result = fmb("retrain", *args)
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert told in line
