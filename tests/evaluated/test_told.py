"""What `fmb evaluate` tells beside its numbers: chance, missing intervals, what is left out."""

from pathlib import Path

import numpy as np
import pytest
from known_objects import N, bounds, results, value


def test_one_object_of_a_kind_has_a_value_and_no_interval(run):
    """All resamples of one object are that object: a width of zero would be no interval."""
    v = np.random.default_rng(1).normal(size=(N + 3, 4)).astype(np.float32)
    v[N:] += 50  # above all that is unchanged
    hosts = np.append(np.arange(N), [10, 11, 12])
    label = np.append(np.full(N, "ordinary"), ["one", "two", "two"])
    np.savez("few.npz", object_id=np.arange(N + 3), v=v, injected_from=hosts, label=label)
    asked = ("detect", "--embeddings", "few.npz", "--detector", "gaussian", "--out", "few")
    assert run(*asked).exit_code == 0
    shown = run("evaluate", "few", "--looks", "10").stdout.splitlines()
    assert ["1.00 [-]" in line for line in shown[1:3]] == [True, False]
    found = results(run, "few", "--looks", "10")
    assert bounds(found, "auroc", "one") == (1, None, None)
    assert bounds(found, "auroc", "two") == (1, 1, 1)
    # Two copies have one host each to be held against: all resamples with both are the same.
    assert bounds(found, "auroc_own_hosts", "two") == (1, None, None)


def test_one_object_of_a_list_has_a_value_and_no_interval(run, tmp_path):
    (tmp_path / "mine.txt").write_text("0\n")
    found = results(run, "plain", "--truth", "mine.txt")
    value, *interval = bounds(found, "auroc", "listed")
    assert value > 0.5
    assert interval == [None, None]
    assert bounds(found, "precision", "listed")[2] < 1  # of 100 looks, which Wilson knows


def test_half_of_a_range_is_estimated_and_too_few_copies_of_one_are_named(run):
    """Copies are found from strength 0.25 on: 60 of a range tell it, 10 do not."""
    v = np.random.default_rng(1).normal(size=(N, 4)).astype(np.float32)
    hosts, strength = np.arange(100, 170), np.append(np.linspace(0, 1, 60), np.linspace(0, 1, 10))
    far = v[hosts] + np.where(strength > 0.25, 50, 0)[:, None].astype(np.float32)
    np.savez(
        "range.npz",
        object_id=np.arange(N + 70),
        v=np.concatenate([v, far]),
        injected_from=np.append(np.arange(N), hosts),
        label=np.concatenate([np.full(N, "ordinary"), ["many"] * 60, ["few"] * 10]),
        strength=np.append(np.full(N, np.nan), strength),
    )
    asked = ("detect", "--embeddings", "range.npz", "--detector", "gaussian", "--out", "range")
    assert run(*asked).exit_code == 0
    half = value(results(run, "range"), "strength_at_half_recall", kind="many")
    assert half["value"] == pytest.approx(0.25, abs=0.1)  # half of one of five parts
    told = run("evaluate", "range")
    assert "note: half needs steps of strength, or 30 copies over a range: few" in told.stderr
    few, many = (line.split() for line in told.stdout.splitlines()[1:3])
    assert few[-3] == "-"
    assert many[-3] == f"{half['value']:.2f}"


def test_what_is_not_looked_for_and_what_chance_gives_are_said(run):
    shown = run("evaluate", "plain", "--truth", "kind").stdout
    assert "not looked for: kind = plain, which most objects have (200)" in shown
    assert "in 100 looks 13 odd" in shown  # 100 x 30 / 230
    assert "not looked for" not in run("evaluate", "plain", "--truth", "kind=odd").stdout


def test_a_survey_of_fewer_than_a_hundred_is_looked_at_in_a_tenth(run):
    with np.load("plain.npz") as plain:
        np.savez("small.npz", object_id=plain["object_id"][:70], v=plain["v"][:70])
    Path("ids.txt").write_text("\n".join(map(str, np.load("small.npz")["object_id"][:9])) + "\n")
    asked = ("detect", "--embeddings", "small.npz", "--detector", "gaussian", "--out", "small")
    assert run(*asked).exit_code == 0
    assert "in 7 looks 0.9 listed" in run("evaluate", "small", "--truth", "ids.txt").stdout
    refused = run("evaluate", "small", "--truth", "ids.txt", "--looks", "100")
    assert "ranks 70 objects; choose at most these" in refused.stderr


def test_a_survey_whose_planted_objects_are_labelled_is_told_how_to_look_for_them(run):
    kind = np.where(np.arange(N) < 30, "lens", "ordinary")
    with np.load("plain.npz") as plain:
        np.savez("told.npz", object_id=plain["object_id"], v=plain["v"], label=kind)
    asked = ("detect", "--embeddings", "told.npz", "--detector", "gaussian", "--out", "told")
    assert run(*asked).exit_code == 0
    result = run("evaluate", "told")
    assert result.exit_code == 2
    assert "has no planted copies, but its column 'label' tells kinds: --truth label" in (
        result.stderr
    )
    assert run("evaluate", "told", "--truth", "label").exit_code == 0


def test_controls_that_stand_in_no_row_are_named(run):
    shown = run("evaluate", "planted", "--all-lists").stdout
    line = "controls, which no list may find, are in no row of the first table: same"
    assert line in shown.replace("\n  ", " ").splitlines()
    table, _, below = shown.partition("\n\n")
    assert "same" not in table
    assert below.startswith("control")
    assert "controls" not in run("evaluate", "planted", "--truth", "copies=far").stdout


@pytest.mark.parametrize("options", [(), ("--all-lists",)])
def test_where_all_kinds_are_controls_no_option_is_named_that_would_not_help(run, options):
    shown = run("evaluate", "planted", "--truth", "copies=same", *options)
    assert shown.exit_code == 0
    first = shown.stdout.splitlines()[0]
    assert first == "all kinds are controls, which no list may find: no list is measured by them"
    assert "--all-lists" not in shown.stdout


def test_a_control_that_is_no_copy_cannot_be_held_against_lists(run):
    v = np.random.default_rng(1).normal(size=(N, 4)).astype(np.float32)
    sort, odd = np.where(np.arange(N) < 40, "odd", "plain"), np.arange(N) < 40
    view = np.where(odd, "nobody", "")
    np.savez("k.npz", object_id=np.arange(N), v=v, sort=sort, declared_view=view)
    asked = ("detect", "--embeddings", "k.npz", "--detector", "gaussian", "--out", "k")
    assert run(*asked).exit_code == 0
    shown = run("evaluate", "k", "--truth", "sort=odd").stdout.replace("\n  ", " ")
    assert "first table: odd; odd cannot be held against these lists" in shown
