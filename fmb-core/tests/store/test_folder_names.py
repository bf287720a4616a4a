"""Names of folders: which are taken, and what others become."""

import pytest

from fmb.store.folder_names import FOLDER_NAME, folder_name


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        ("ckpt_L4.v2", "ckpt_L4.v2"),
        ("my model (1)", "my-model-1"),
        ("../../x", "x"),
        ("\x1b[31mred", "31mred"),
        ("x" * 300, "x" * 80),
        ("Größe", "Gr-e"),
        ("--", "weights"),
        ("", "weights"),
    ],
)
def test_a_name_is_made_fit(text, fit):
    assert folder_name(text, "weights") == fit
    assert FOLDER_NAME.fullmatch(fit)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "a\n", ".hidden", "x" * 201])
def test_a_name_that_leads_elsewhere_is_not_taken(name):
    assert not FOLDER_NAME.fullmatch(name)
