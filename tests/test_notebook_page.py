"""The notebook page, followed to the letter on 120 simulated objects."""

import ast
import re
from pathlib import Path

import fmb as api

PAGE = Path(__file__).resolve().parents[1] / "docs" / "notebook.md"


def test_every_block_of_the_page_works_in_its_order(home, tmp_path, capsys):
    (tmp_path / "fmb.toml").write_text("[run]\nfigures = ['score-histogram']\n")
    blocks = re.findall(r"^```(python|text)\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    assert len(blocks) >= 9
    names: dict = {}
    for kind, text in blocks:
        if kind == "text":  # what the block before shows
            assert repr(names["run"]) == text.rstrip("\n")
            continue
        for statement in ast.parse(text).body:
            code = ast.unparse(statement)
            if isinstance(statement, ast.Expr):
                shown = eval(code, names)
                assert repr(shown), code
            else:
                exec(code, names)
    assert "names 2 lists of run 'both'" in capsys.readouterr().out
    assert (tmp_path / "strange.fits").exists()
    assert (tmp_path / "strange.pdf").read_bytes().startswith(b"%PDF")


FOR_CODE = {
    *("details", "has_cutouts", "hidden", "home", "kept", "label_book", "labelled"),
    *("list_called", "looked_at"),
    *("notes", "reads", "record", "shown", "table", "vector_names", "vectors_called"),
}
"""What steps, analyses and figures ask of a run, and hardly anybody in a notebook."""


def test_all_that_a_run_can_be_asked_is_on_the_page():
    page = PAGE.read_text()
    asked = {name for name in dir(api.Run) if not name.startswith("_")}
    assert asked > FOR_CODE
    assert {n for n in asked if not re.search(rf"\b(run|part)\.{n}\b", page)} == FOR_CODE
