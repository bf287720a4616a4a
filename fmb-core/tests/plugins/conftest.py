import os
import subprocess
import sys

import pytest


@pytest.fixture
def fmb(site):
    """The command in a process of its own, with `site` on the import path."""

    def run(*arguments, **environment):
        known = {key: value for key, value in os.environ.items() if not key.startswith("FMB_")}
        return subprocess.run(
            [sys.executable, "-c", "from fmb.cli import main; main(prog_name='fmb')", *arguments],
            env={**known, "PYTHONPATH": str(site), "FMB_HOME": str(site / "home"), **environment},
            capture_output=True,
            text=True,
        )

    return run
