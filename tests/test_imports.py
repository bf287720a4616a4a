"""What a full run must not load, in a process of its own."""

import json
import os
import subprocess
import sys

SCRIPT = """
import json, sys
from fmb.cli import main
args = ["run", "--model", "astropt", "--weights", "random", "--detector", "gaussian",
        "--detector", "flow", "--data", {survey!r}, "--set", "detector.flow.epochs=1"]
main(args, standalone_mode=False)
names = ["torchvision", "wandb", "datasets", "transformers", "timm", "torch"]
print("loaded", json.dumps([name for name in names if name in sys.modules]))
"""


def test_a_full_run_loads_none_of_what_astropt_drags_in(survey, tmp_path):
    script = SCRIPT.format(survey=str(survey))
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "FMB_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    loaded = json.loads(result.stdout.rpartition("loaded ")[2])
    assert loaded == ["torch"]
