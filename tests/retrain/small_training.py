"""A training that takes a second, and what it wrote."""

import csv
from pathlib import Path

import numpy as np

OPTIONS = (
    "retrain", "astropt", "--data", "survey.toml", "--weights", "random", "--batch-size", "8",
    "--set", "model.astropt.preset=tiny", "--set", "model.astropt.min_coverage=0.5",
    "--set", "train.epochs=3", "--set", "train.checkpoint_steps=2",
)  # fmt: skip
CHILD = """
import os
os.environ["FMB_HOME"] = {home!r}
os.chdir({cwd!r})
import torch
torch.set_num_threads(1)
from fmb.cli import main
main({args!r}, prog_name="fmb")
"""


def history(folder: Path) -> list[dict[str, float]]:
    with (folder / "training" / "history.csv").open() as stream:
        return [
            {k: float(v or "nan") for k, v in row.items() if k != "seconds"}
            for row in csv.DictReader(stream)
        ]


def assert_same(one: list[dict], other: list[dict], tolerance: float) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert list(a) == list(b)
        np.testing.assert_allclose([*a.values()], [*b.values()], rtol=tolerance, equal_nan=True)


def refused(result, *words, code=2):
    assert result.exit_code == code, result.stdout + result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("fmb: ")]
    assert len(lines) == 1
    for word in words:
        assert word in lines[0]
