"""Components that an extra of their distribution would bring: not there, and nobody's failure."""

import json
import sys

import pytest

from fmb.contract.command import CommandSpec
from fmb.contract.detector import DetectorSpec
from fmb.messages.errors import UnknownNameError
from fmb.plugins.failures import Origin
from fmb.plugins.loading import load_plugins

PLUGIN = """
from fmb import CommandSpec

@hookimpl
def fmb_register_detectors():
    yield DetectorSpec(
        name="deep", summary="S", target="a:B", requires=("json", "nobody_has", "nor_this"),
        extra="deep", aliases=("deeper",),
    )
    yield DetectorSpec(name="plain", summary="S", target="a:B", commands={"measure": "bench"})

@hookimpl
def fmb_register_commands():
    yield CommandSpec(
        name="dig", summary="Dig.", target="a:B", requires=("nobody_has",), extra="deep"
    )
    yield CommandSpec(
        name="delve", group="data", summary="Delve.", target="a:B", requires=("nobody_has",),
        extra="deep",
    )
"""
SAID = "detector 'deep' is not available: pip install 'my-dist[deep]'"


@pytest.fixture
def registry(install):
    install("my-dist", PLUGIN, plugin="mine")
    return load_plugins().registry


def test_what_an_extra_would_bring_is_missing_and_no_failure(registry):
    origin = Origin("mine", "my-dist", "1.2")
    own = [one for one in registry.missing if one.origin == origin]
    assert [(one.spec.name, one.modules) for one in own] == [
        ("deep", ("nobody_has", "nor_this")),
        ("dig", ("nobody_has",)),
        ("delve", ("nobody_has",)),
    ]
    assert registry.failures == ()


def test_its_siblings_work(registry):
    assert registry.get(DetectorSpec, "plain").qualified == "mine:plain"
    assert [one.spec.name for one in registry.all(DetectorSpec)] == ["plain"]


@pytest.mark.parametrize("name", ["deep", "deeper", "mine:deep", "my-dist:deep"])
def test_asking_for_it_says_how_to_install_it(registry, name):
    with pytest.raises(UnknownNameError) as caught:
        registry.get(DetectorSpec, name)
    assert str(caught.value) == SAID


def test_a_missing_component_answers_for_its_own_kind_only(registry):
    with pytest.raises(UnknownNameError, match="no command is called 'deep'"):
        registry.get(CommandSpec, "deep")


def test_one_that_is_there_is_taken_before_one_that_is_missing(install):
    install("my-dist", PLUGIN, plugin="mine")
    install("deep")
    assert load_plugins().registry.get(DetectorSpec, "deep").distribution == "deep"


@pytest.mark.parametrize("way", ["argument", "environment"])
def test_strict_does_not_stop_at_it(install, monkeypatch, way):
    install("my-dist", PLUGIN, plugin="mine")
    if way == "environment":
        monkeypatch.setenv("FMB_STRICT", "1")
    loaded = load_plugins(strict=way == "argument")
    assert loaded.failures == ()
    assert SAID in [str(one) for one in loaded.registry.missing]


def test_what_a_missing_extra_brings_is_there_once_it_is_installed(install, site):
    install("my-dist", PLUGIN, plugin="mine")
    for module in ("nobody_has", "nor_this"):
        (site / f"{module}.py").touch()
    registry = load_plugins(strict=True).registry
    assert registry.get(DetectorSpec, "deeper").spec.name == "deep"
    assert "nobody_has" not in sys.modules


def test_fmb_plugins_lists_it_with_the_way_to_install_it(install, fmb):
    install("my-dist", PLUGIN, plugin="mine")
    done = fmb("plugins", FMB_STRICT="1")
    assert done.returncode == 0
    (line,) = [line for line in done.stdout.splitlines() if "mine:deep" in line]
    assert "not available: pip install 'my-dist[deep]'" in line
    assert "my-dist" not in done.stderr
    listed = json.loads(fmb("plugins", "--json").stdout)
    assert SAID in listed["not available"]
    assert "my-dist" not in [one["distribution"] for one in listed["failures"]]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("plugins", "info", "plain"), ""),
        (("dig",), "command 'dig' is not available: pip install 'my-dist[deep]'"),
        (
            ("data", "delve"),
            "command 'data delve' is not available: pip install 'my-dist[deep]'",
        ),
        (("measure",), "the command 'measure' is not installed: pip install 'my-dist[bench]'"),
    ],
)
def test_a_command_that_is_missing_says_how_to_install_it(install, arguments, line, fmb):
    install("my-dist", PLUGIN, plugin="mine")
    done = fmb(*arguments)
    if line:
        assert done.returncode == 2
        assert done.stderr == f"fmb: {line}\n"
    else:
        assert done.returncode == 0, done.stderr
