"""What commands print fits 80 columns, and nothing breaks within a word."""

import json
import os
import re
import shutil

import click
import numpy as np
import pandas as pd
import pytest

from fmb.cli import main

N = 40
IDS = np.array([f"WISEA-J004903.78+152042.1-of-the-northern-field-{i:014d}" for i in range(N)])
LABEL = "a-model-with-the-longest-label-that-one-types"
DETECTOR = "a-detector-with-a-long-label"
SPECTRUM_UNIT = "1e-17 erg / (s cm2 Angstrom)"
UNBREAKABLE = 50
"""A word from this length on may stand out: an id or a path that is cut names nothing."""


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


def too_long(text):
    """The lines that are too long though they could be broken between words."""
    return [
        line
        for line in text.splitlines()
        if len(line) > 80 and max(map(len, line.split())) < UNBREAKABLE
    ]


@pytest.fixture
def wordy(fmb, tmp_path, make_survey):
    """A workspace with a survey, vectors and a run, all with long names and ids."""

    def change(arrays):
        arrays["object_id"] = IDS.astype("S")
        arrays["image/flux"][3] = np.nan

    survey = make_survey(tmp_path / "a-survey-in-a-folder-with-a-long-name", n=N, change=change)
    values = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
    np.savez(tmp_path / "v.npz", object_id=IDS, image=values, spectrum=values[:, ::-1])
    text = ["a very long name of a class of objects in the catalogue"] * N
    table = pd.DataFrame({"object_id": IDS, "label": text, "redshift": np.linspace(0, 1, N)})
    table.to_csv(tmp_path / "c.csv", index=False)
    own = ["--embeddings", "v.npz", "--catalog", "c.csv", "--detector", f"{DETECTOR}=gaussian"]
    model = ["--model", f"{LABEL}=astropt", "--weights", "random", "--data", survey]
    return survey, own, model


def commands(survey, own, model):
    """Every command that prints a table, once."""
    yield from (
        ["plugins"],
        ["plugins", "list"],
        ["weights", "list"],
        ["paths"],
        ["config", "show"],
    )
    yield ["weights", "verify", "astropt", "random"]
    yield ["data", "show", survey]
    yield ["data", "validate", survey]
    yield ["embed", *model, "--dry-run"]
    yield ["embed", *model]
    yield ["run", *model, "--detector", f"{DETECTOR}=gaussian", "--dry-run"]
    yield ["detect", *own, "--dry-run"]
    yield ["detect", *own, "--out", "a-run-with-a-name-that-is-as-long-as-its-author-liked"]
    yield ["label", "a-run-with-a-name-that-is-as-long-as-its-author-liked", "lens", IDS[2]]
    yield ["label", "a-run-with-a-name-that-is-as-long-as-its-author-liked"]
    yield ["top", "-k", "3"]
    yield ["object", IDS[5]]


def test_everything_that_is_printed_fits_80_columns(wordy, fmb):
    survey, own, model = wordy
    for command in commands(survey, own, model):
        printed = fmb(*command)
        assert printed.exit_code in (0, 1), printed.stderr
        assert too_long(printed.stdout) == [], command
    assert IDS[5] in done(fmb("top", "-k", N)).stdout


def test_what_a_table_leaves_out_is_named_with_the_way_to_see_it(wordy, fmb):
    _, _, model = wordy
    listed = done(fmb("embed", *model))
    assert "more columns (" in listed.stderr
    assert "fmb cache list" in listed.stderr
    assert "more columns (from): fmb weights list --json" in done(fmb("weights", "list")).stderr


def test_data_show_tells_all_of_a_wide_input(wordy, fmb):
    survey, _, _ = wordy
    shown = done(fmb("data", "show", survey)).stdout
    for whole in (SPECTRUM_UNIT, "VIS, NISP-Y, NISP-J, NISP-H", "3600-9824 Angstrom", IDS[0]):
        assert whole in shown


def test_the_sheet_on_every_component_fits(fmb):
    for one in json.loads(done(fmb("plugins", "--json")).stdout)["components"]:
        name = f"{one['plugin']}:{one['name']}"
        sheet = done(fmb("plugins", "info", name, "--kind", one["kind"])).stdout
        assert too_long(sheet) == [], name


def helps(context):
    """The help of a command, and of those that it has, each with its name."""
    command = context.command
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            yield from helps(click.Context(inner, parent=context, info_name=name))


def test_the_help_of_every_command_fits_however_wide_the_terminal(monkeypatch):
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_: os.terminal_size((200, 50)))
    shown = dict(helps(click.Context(main, info_name="fmb", **main.context_settings)))
    assert {"fmb run", "fmb data index", "fmb config show"} <= set(shown)
    for name, text in shown.items():
        assert too_long(text) == [], name
        assert re.findall(r"\w-$", text, flags=re.MULTILINE) == [], name


def test_a_dry_run_has_numbers_as_numbers(wordy, fmb):
    _, _, model = wordy
    (row,) = json.loads(done(fmb("embed", *model, "--dry-run", "--json")).stdout)["models"]
    assert row["objects"] == N
    assert isinstance(row["seconds"], float)
    assert row["bytes"] % 4 == 0


def test_facts_are_json_too(wordy, fmb, tmp_path):
    _, own, _ = wordy
    done(fmb("detect", *own, "--out", "mine"))
    assert json.loads(done(fmb("paths", "--json")).stdout)["runs"] == str(tmp_path / "home/runs")
    drawn = json.loads(done(fmb("plot", "mine", "--plot", "score-histogram", "--json")).stdout)
    assert [path.endswith(".png") for path in drawn["figures"]] == [True] * 4
    told = json.loads(done(fmb("export", "mine", "-o", "mine.csv", "--json")).stdout)
    assert told == {"file": "mine.csv", "format": "csv"}
    weights = json.loads(done(fmb("weights", "verify", "astropt", "tiny", "--json")).stdout)
    assert (weights["name"], weights["state"]) == ("tiny", "bundled")
    assert {len(digest) for digest in weights["sha256"].values()} == {64}
