"""The page on the demo survey says what the code does."""

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from fmb_surveys.demo import DemoConfig
from fmb_surveys.planting import KINDS

PAGE = Path(__file__).parents[3] / "docs" / "demo-survey.md"


def rows_of(heading: str) -> list[list[str]]:
    if not PAGE.exists():
        pytest.skip("the docs folder is not part of this installation")
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith(heading))
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return table
        table.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return table


def test_the_table_of_kinds_is_complete_and_right():
    def shown(kind, value: float) -> str:
        return f"{value:g}" if kind.parameter else ""

    expected = [
        [
            kind.name,
            kind.parameter,
            shown(kind, kind.weak),
            shown(kind, kind.strong),
            kind.view,
            f"{kind.auroc[0]:g}-{kind.auroc[1]:g}",
            "told" if kind.updates_ivar else "not told",
        ]
        for kind in KINDS.values()
    ]
    assert rows_of("| kind | what grows") == expected


def test_every_setting_of_the_demo_is_explained():
    assert [row[0] for row in rows_of("| setting | default")] == list(DemoConfig.model_fields)


def test_the_code_of_the_page_runs(tmp_path, monkeypatch):
    if not PAGE.exists():
        pytest.skip("the docs folder is not part of this installation")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE.read_text(encoding="utf-8"), re.M)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(dedent(block), names)
    assert len(names["survey"]) == 30
    assert len(names["planted"]) == 30 + 2 * 5 * 3
