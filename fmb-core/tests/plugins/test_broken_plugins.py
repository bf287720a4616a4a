"""Broken plugins of every kind, and a name clash: each is reported once, nothing else suffers."""

import json
import sys

import pytest
from broken_plugins import ALSO_BROKEN, BROKEN, cases, declares

from fmb.contract.detector import DetectorSpec
from fmb.contract.engine import EngineSpec
from fmb.messages.errors import AmbiguousNameError, PluginError, UnknownNameError
from fmb.plugins.loading import load_plugins


@cases(BROKEN | ALSO_BROKEN)
def test_a_broken_plugin_is_reported_in_one_line_and_the_others_work(install, body, stage, cause):
    install("broken-dist", body, plugin="broken")
    install("sound")

    loaded = load_plugins()

    (failure,) = loaded.failures
    assert failure.stage == stage
    assert str(failure).startswith(f"plugin 'broken' (broken-dist 1.2) failed at {stage}: ")
    assert cause in str(failure)
    assert "\n" not in str(failure)
    assert loaded.registry.get(EngineSpec, "local").plugin == "core"
    assert loaded.registry.get(DetectorSpec, "sound").distribution == "sound"
    with pytest.raises(UnknownNameError, match="plugin 'broken' "):
        loaded.registry.get(DetectorSpec, "first")


@cases(BROKEN)
def test_strict_makes_a_broken_plugin_fatal(install, monkeypatch, body, stage, cause):
    install("broken-dist", body, plugin="broken")
    with pytest.raises(PluginError, match=r"plugin 'broken' \(broken-dist 1.2\) failed at"):
        load_plugins(strict=True)
    monkeypatch.setenv("FMB_STRICT", "1")
    with pytest.raises(PluginError, match=f"failed at {stage}"):
        load_plugins()
    monkeypatch.setenv("FMB_STRICT", "0")
    assert load_plugins().failures


@cases(BROKEN)
def test_a_disabled_plugin_is_not_even_imported(install, monkeypatch, body, stage, cause):
    install("broken-dist", body, plugin="broken")
    monkeypatch.setenv("FMB_DISABLE_PLUGINS", "absent, broken")
    loaded = load_plugins(strict=True)
    assert loaded.failures == ()
    assert "broken" not in [origin.plugin for origin in loaded.origins]
    assert "broken_dist_plugin" not in sys.modules


def test_all_broken_plugins_together_are_reported_once_each(install):
    for number, (body, _, _) in enumerate(BROKEN.values()):
        install(f"broken{number}", body)
    install("sound")
    loaded = load_plugins()
    assert [failure.plugin for failure in loaded.failures] == [f"broken{n}" for n in range(8)]
    assert loaded.registry.get(DetectorSpec, "sound")
    with pytest.raises(UnknownNameError, match=r"broken0, broken1, .*broken7; see `fmb plugins`"):
        loaded.registry.get(DetectorSpec, "first")


def test_a_component_that_lacks_a_module_does_not_take_its_siblings_down(install):
    lacking = {"name": "lacking", "requires": ("a_package_nobody_has",)}
    install("half", declares(lacking, {"name": "whole"}))
    loaded = load_plugins()
    assert loaded.registry.get(DetectorSpec, "whole")
    assert "half" in [origin.plugin for origin in loaded.origins]
    with pytest.raises(UnknownNameError, match="needs the module a_package_nobody_has"):
        loaded.registry.get(DetectorSpec, "lacking")


def test_an_entry_point_that_names_an_object_is_refused(install, site):
    install("odd")
    (site / "odd-1.2.dist-info" / "entry_points.txt").write_text(
        "[fmb]\nodd = odd_plugin:FMB_API\n"
    )
    (failure,) = load_plugins().failures
    assert str(failure) == (
        "plugin 'odd' (odd 1.2) failed at import: the entry point names 1, expected a module"
    )


@pytest.mark.parametrize("content", [b"", b"\xff"], ids=["empty", "not UTF-8"])
def test_a_distribution_with_damaged_metadata_is_reported_under_its_plugin_name(
    install, site, content
):
    install("bare", "raise ValueError('no')\n")
    install("sound")
    (site / "bare-1.2.dist-info" / "METADATA").write_bytes(content)
    loaded = load_plugins()
    assert str(loaded.failures[0]) == (
        "plugin 'bare' (unknown distribution ?) failed at import: ValueError: no"
    )
    assert loaded.registry.get(DetectorSpec, "sound")


def test_ctrl_c_while_a_plugin_loads_is_not_swallowed(install):
    install("slow", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        load_plugins()


def test_a_name_that_two_plugins_claim_belongs_to_neither(install):
    install("dist-one", declares({"name": "same"}), plugin="one", version="0.1")
    install(
        "dist-two",
        declares({"name": "other", "aliases": ("same",)}),
        plugin="two",
        version="0.2",
    )
    registry = load_plugins(strict=True).registry
    message = (
        "detector 'same' is claimed by 2 plugins: write one:same (dist-one 0.1)"
        " or two:other (dist-two 0.2)"
    )
    with pytest.raises(AmbiguousNameError) as caught:
        registry.get(DetectorSpec, "same")
    assert str(caught.value) == message
    assert registry.clashes() == [message]
    assert registry.get(DetectorSpec, "one:same").distribution == "dist-one"
    assert registry.get(DetectorSpec, "two:other").distribution == "dist-two"
    assert registry.get(DetectorSpec, "two:same").distribution == "dist-two"
    assert registry.get(EngineSpec, "local")


def test_plugins_of_one_name_are_told_apart_by_their_distributions(install):
    install("dist-one", declares({"name": "same"}), plugin="mine", version="0.1")
    install("dist-two", declares({"name": "same"}), plugin="mine", version="0.2")
    registry = load_plugins(strict=True).registry
    with pytest.raises(AmbiguousNameError, match=r"dist-one:same \(dist-one 0.1\) or dist-two:sam"):
        registry.get(DetectorSpec, "mine:same")
    assert registry.get(DetectorSpec, "dist-two:same").version == "0.2"


@pytest.fixture
def all_broken(install, site):
    for number, (body, _, _) in enumerate(BROKEN.values()):
        install(f"broken{number}", body)
    install("sound")
    return site


def test_fmb_plugins_lists_the_good_and_reports_each_broken_one_in_one_line(all_broken, fmb):
    done = fmb("plugins")
    assert done.returncode == 0
    assert "core:local" in done.stdout
    assert "sound:sound" in done.stdout
    assert "broken" not in done.stdout
    listed = [line for line in done.stderr.splitlines() if line.startswith("plugin 'broken")]
    assert len(listed) == len(BROKEN)
    for number, (line, (_, stage, cause)) in enumerate(zip(listed, BROKEN.values(), strict=True)):
        where = f"plugin 'broken{number}' (broken{number} 1.2) failed at {stage}: "
        assert line.startswith(where)
        assert cause in line


def test_fmb_plugins_as_json_says_the_same(all_broken, fmb):
    loaded = json.loads(fmb("plugins", "--json").stdout)
    failures = [one for one in loaded["failures"] if one["plugin"].startswith("broken")]
    assert [one["stage"] for one in failures] == [stage for _, stage, _ in BROKEN.values()]
    assert {"core:local", "sound:sound"} <= {
        f"{one['plugin']}:{one['name']}" for one in loaded["components"]
    }


def test_a_plugin_whose_import_is_slow_is_named_by_fmb_plugins_only(install, fmb):
    sound = declares({"name": "late"})
    install("slow-dist", f"import time\ntime.sleep(0.4)\n{sound}", plugin="late", version="0.3")
    told = json.loads(fmb("plugins", "--json").stdout)["slow"]
    (late,) = [one for one in told if one["plugin"] == "late"]
    assert (late["distribution"], late["version"]) == ("slow-dist", "0.3")
    assert late["seconds"] >= 0.4
    assert all(one["seconds"] >= 0.3 for one in told)
    listed = fmb("plugins")
    assert "slow: plugin 'late' of slow-dist 0.3, " in listed.stdout
    assert listed.stdout.rstrip().endswith("s to import")
    assert "slow" not in listed.stderr
    for other in ("--help", "paths"):
        done = fmb(other)
        assert done.returncode == 0
        assert "slow:" not in done.stdout + done.stderr


def test_what_a_broken_plugin_would_provide_is_asked_for_in_vain_but_with_its_name(install, fmb):
    install("broken-dist", BROKEN["raising midway"][0], plugin="broken")
    done = fmb("run", "--model", "first", "--detector", "first")
    assert done.returncode == 2
    assert " is called 'first'" in done.stderr
    assert "plugin 'broken' (broken-dist 1.2) failed at declare" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("way", [{"FMB_STRICT": "1"}, "--strict"])
def test_a_strict_command_stops_at_a_broken_plugin(install, way, fmb):
    install("aaa-broken", BROKEN["SystemExit at import"][0])
    done = fmb(way, "plugins") if way == "--strict" else fmb("plugins", **way)
    assert done.returncode == 2
    assert done.stderr == (
        "fmb: plugin 'aaa-broken' (aaa-broken 1.2) failed at import: SystemExit: no licence key\n"
    )


def test_a_disabled_plugin_is_not_mentioned(all_broken, fmb):
    names = ",".join(f"broken{number}" for number in range(len(BROKEN)))
    done = fmb("plugins", FMB_DISABLE_PLUGINS=names)
    assert "broken" not in done.stdout + done.stderr


def test_fmb_plugins_reports_a_name_clash_with_the_way_out(install, fmb):
    install("dist-one", declares({"name": "same"}), plugin="one", version="0.1")
    install("dist-two", declares({"name": "same"}), plugin="two", version="0.2")
    done = fmb("plugins")
    assert done.returncode == 0
    assert "one:same" in done.stdout
    assert "two:same" in done.stdout
    assert (
        "detector 'same' is claimed by 2 plugins: write one:same (dist-one 0.1)"
        " or two:same (dist-two 0.2)"
    ) in done.stderr.splitlines()


@pytest.mark.parametrize(
    "listed", [b"[fmb]\nnoequals\n", b"[fmb]\n\xe9 = a\n"], ids=["line", "byte"]
)
def test_a_damaged_list_of_entry_points_is_one_line_and_the_others_work(install, site, listed, fmb):
    install("broken-dist", plugin="broken")
    (site / "broken_dist-1.2.dist-info" / "entry_points.txt").write_bytes(listed)
    install("sound")
    done = fmb("plugins")
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert "broken-dist" in line
    assert "its entry_points.txt cannot be read" in line
    assert "sound:sound" in done.stdout


@pytest.mark.parametrize("raised", ["pytest.skip('x', allow_module_level=True)", "exit(0)"])
def test_whatever_a_plugin_raises_at_import_is_one_line(install, raised, fmb):
    install("broken-dist", f"import pytest\n{raised}\n", plugin="broken")
    done = fmb("plugins")
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith("plugin 'broken' (broken-dist 1.2) failed at import: ")


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--strict", "plugins"]])
def test_strict_is_one_line_wherever_plugins_are_loaded(install, arguments, fmb):
    install("broken-dist", "import nobody_has_this\n", plugin="broken")
    strict = {} if "--strict" in arguments else {"FMB_STRICT": "1"}
    done = fmb(*arguments, **strict)
    if arguments == ["run", "--help"]:  # needs no plugin
        assert (done.returncode, done.stderr) == (0, "")
    else:
        assert done.returncode == 2
        assert done.stderr.startswith("fmb: plugin 'broken' (broken-dist 1.2) failed at import")
        assert done.stderr.count("\n") == 1


def test_a_command_that_two_plugins_claim_is_reached_as_the_message_says(install, site, fmb):
    body = (
        "from fmb import CommandSpec\n@hookimpl\ndef fmb_register_commands():\n"
        "    yield CommandSpec(name='same', summary='S', target='said_{0}:command')\n"
    )
    for name in ("one", "two"):
        install(f"dist-{name}", body.format(name), plugin=name)
        (site / f"said_{name}.py").write_text(
            f"import click\n\n@click.command()\ndef command():\n    click.echo({name!r})\n"
        )
    clash = fmb("same")
    assert clash.returncode == 2
    assert clash.stderr == (
        "fmb: command 'same' is claimed by 2 plugins: write one:same (dist-one 1.2) or two:same"
        " (dist-two 1.2)\n"
    )
    assert [fmb(f"{name}:same").stdout for name in ("one", "two")] == ["one\n", "two\n"]
