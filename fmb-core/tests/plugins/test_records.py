"""Records of every kind that cannot be right: each is one line, the others of all plugins work."""

import pytest

from fmb.contract.command import CommandSpec
from fmb.contract.detector import DetectorSpec
from fmb.contract.hooks import HOOKS, KINDS
from fmb.plugins.loading import load_plugins

WEIGHTS = "stands for weights"
"""Replaced by the code of a record."""
SOUND = {"name": "first", "summary": "Sound", "target": "a:B"}


def yields(kind: str, **fields: object) -> str:
    """Code of the hook of a kind that yields one record; `fields` differ from a sound one."""
    own = {
        "model": {"views": {"image": ("image",)}, "embedders": ("mean",), "accepts": ()},
        "analysis": {"tables": {"pairs": "one row for two lists"}},
    }
    listed = ", ".join(f"{k}={v!r}" for k, v in {**SOUND, **own.get(kind, {}), **fields}.items())
    accepts = "accepts=(Accepts(slot='image', kind='images'),)"
    (plural,) = [one.plural for one in KINDS if one.kind == kind]
    return (
        f"from fmb import Accepts, WeightsSpec, {kind.title()}Spec\n"
        f"@hookimpl\ndef fmb_register_{plural}():\n"
        f"    yield {kind.title()}Spec({listed})\n".replace("accepts=()", accepts)
    )


# What records of one kind only can do wrong, at the declaration.
OF_A_KIND = {
    "dataset with one ending as text": (
        yields("dataset", suffixes=".zarr"),
        "suffixes of 'first' is '.zarr', expected a tuple",
    ),
    "model whose weights have no place": (
        yields("model", weights=(WEIGHTS,)).replace(
            repr(WEIGHTS), "WeightsSpec(name='w', summary='W')"
        ),
        "'first': weights 'w' have neither of card and location, expected one",
    ),
    "model whose weights have two places": (
        yields("model", weights=(WEIGHTS,)).replace(
            repr(WEIGHTS), "WeightsSpec(name='w', summary='W', card='a:b', location='package:a/b')"
        ),
        "'first': weights 'w' have both of card and location, expected one",
    ),
    "model with a view that nothing feeds": (
        yields("model", views={"joint": ("image", "spectrum")}),
        "'first': view 'joint' needs 'spectrum', which no Accepts names",
    ),
    "model without an embedder": (
        yields("model", embedders=()),
        "'first': embedders names none",
    ),
    "model whose views are a list": (
        yields("model", views=["image"]),
        "views of 'first' is ['image'], expected a mapping",
    ),
    "embedder without a class": (
        yields("embedder", config="a"),
        "config of 'first' is 'a', expected \"module:Class\"",
    ),
    "detector of an unknown scope": (
        yields("detector", scope="pairs"),
        "scope of 'first' is 'pairs', expected one of 'single', 'pair', 'catalogue', 'fusion'",
    ),
    "detector that asks for a column by its name": (
        yields("detector", columns=("mag_r",)),
        "'first': columns names 'mag_r', expected any of magnitude, size, redshift",
    ),
    "detector whose details have no unit": (
        yields("detector", details=("distance",)),
        "details of 'first' is ('distance',), expected a mapping",
    ),
    "analysis that needs what nothing gives": (
        yields("analysis", needs=("scores", "pixels")),
        "'first': needs 'pixels', expected any of objects, scores, details, vectors, cutouts or "
        "table:ANALYSIS.NAME",
    ),
    "analysis that makes no table": (
        yields("analysis", tables={}),
        "'first': tables names none",
    ),
    "analysis of something else than runs": (
        yields("analysis", over="lists"),
        "over of 'first' is 'lists', expected one of 'run', 'runs'",
    ),
    "figure of a table without its name": (
        yields("plot", needs=("table:overlap",)),
        "'first': needs 'table:overlap', expected any of",
    ),
    "figure of several runs by default": (
        yields("plot", per="runs", default=True),
        "'first': default is True, but a figure of several runs is never drawn unasked",
    ),
    "command that is the core's": (
        yields("command", name="run"),
        "the command 'run' belongs to fmb-core",
    ),
    "command that answers to another name of the core's": (
        yields("command", aliases=("viz",)),
        "the command 'viz' belongs to fmb-core",
    ),
    "command that is one of the core's in a group": (
        yields("command", group="data", name="show"),
        "the command 'data show' belongs to fmb-core",
    ),
    "command of a group that is not there": (
        yields("command", group="dta"),
        "the command 'first' is of the group 'dta', which fmb does not have: use one of data, or"
        " none",
    ),
    "detector with a revision of text": (
        yields("detector", revision="2"),
        "revision of 'first' is '2', expected a whole number",
    ),
    "detector that is true once": (
        yields("detector", companion=1),
        "companion of 'first' is 1, expected True or False",
    ),
    "model with a joint view of a fourth kind": (
        yields("model", joint="sum"),
        "joint of 'first' is 'sum', expected one of 'native', 'unit-mean' or None",
    ),
    "dataset with commands that are no text": (
        yields("dataset", commands={"count": 1}),
        "commands of 'first' is {'count': 1}, expected a mapping to text",
    ),
    "engine with a name of two words": (
        yields("engine", name="my engine"),
        "'my engine' is not a name: lower case, digits and hyphens",
    ),
}


def test_every_kind_of_record_has_a_way_to_be_wrong():
    assert {name.split()[0].replace("figure", "plot") for name in OF_A_KIND} == set(HOOKS)


@pytest.mark.parametrize(("body", "cause"), OF_A_KIND.values(), ids=OF_A_KIND.keys())
def test_a_wrong_record_of_any_kind_is_one_line_and_the_others_work(install, body, cause):
    install("broken-dist", body, plugin="broken")
    install("sound")
    loaded = load_plugins()
    (failure,) = loaded.failures
    assert str(failure).startswith("plugin 'broken' (broken-dist 1.2) failed at declare: ")
    assert cause in str(failure)
    assert "\n" not in str(failure)
    assert loaded.registry.get(DetectorSpec, "sound").distribution == "sound"
    for kind in KINDS:
        assert "broken" not in [one.plugin for one in loaded.registry.all(kind)]


@pytest.mark.parametrize("kind", HOOKS)
def test_a_sound_record_of_any_kind_is_accepted(install, kind):
    install("good-dist", yields(kind))
    (record_class,) = [one for one in KINDS if one.kind == kind]
    assert load_plugins(strict=True).registry.get(record_class, "first").plugin == "good-dist"


def test_a_command_below_one_of_the_cores_is_nobodys(install):
    install("good-dist", yields("command", name="run", group="data"))
    registry = load_plugins(strict=True).registry
    assert registry.get(CommandSpec, "data run").qualified == "good-dist:run"
