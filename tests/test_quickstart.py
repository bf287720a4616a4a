"""The quick start page, followed to the letter on a small simulated survey."""

import re
import shlex
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "quickstart.md"
SMALL = """
[data]
n_objects = 150

[plot.score-histogram]
"""


def test_every_step_of_the_page_works_in_its_order(fmb, survey, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fmb.toml").write_text(SMALL, encoding="utf-8")
    steps = re.findall(r"^```(console|python)\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    assert len(steps) >= 7
    for kind, text in steps:
        if kind == "python":
            exec(text, {})
            continue
        for line in text.splitlines():
            words = shlex.split(line.removeprefix("$ fmb "))
            if words[-1] == "survey.toml":  # a survey of the reader's own
                own = tmp_path / "own"
                own.mkdir()
                monkeypatch.chdir(own)
                words[-1] = str(survey)
            result = fmb(*words)
            assert result.exit_code == 0, f"{line}\n{result.stderr}"
            assert result.stdout.strip(), line
