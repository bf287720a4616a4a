"""Plugins are found, loaded in a stable order and declare what they have."""

import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from inspect import signature

import pytest

from fmb.contract.detector import DetectorSpec
from fmb.contract.engine import EngineSpec
from fmb.contract.hooks import HOOK_SPECS, HOOKS, KINDS
from fmb.contract.spec import ComponentSpec, Spec
from fmb.messages.errors import PluginError
from fmb.plugins.checks import check_record
from fmb.plugins.failures import Origin
from fmb.plugins.loading import load_plugins


def test_the_core_declares_its_parts_through_the_same_hooks(site):
    loaded = load_plugins(strict=True)
    assert loaded.origins == (Origin("core", "fmb-core", version("fmb-core")),)
    assert loaded.failures == ()
    assert loaded.registry.get(EngineSpec, "local").qualified == "core:local"


def test_the_core_comes_first_and_the_rest_by_name(install):
    for name in ("zebra", "ant"):
        install(name)
    loaded = load_plugins(strict=True)
    assert [origin.plugin for origin in loaded.origins] == ["core", "ant", "zebra"]


def test_each_call_finds_what_is_installed_then(install):
    assert [origin.plugin for origin in load_plugins().origins] == ["core"]
    install("late")
    assert load_plugins().registry.get(DetectorSpec, "late").version == "1.2"


def test_a_plugin_can_be_disabled_by_argument_and_by_environment(install, monkeypatch):
    for name in ("one", "two", "three"):
        install(name)
    monkeypatch.setenv("FMB_DISABLE_PLUGINS", " two ,")
    loaded = load_plugins(disabled=["one"])
    assert [origin.plugin for origin in loaded.origins] == ["core", "three"]


def test_declaring_components_does_not_import_them(install):
    install("shy")
    component = load_plugins(strict=True).registry.get(DetectorSpec, "shy")
    assert component.spec.target == "shy_plugin:Sound"
    with pytest.raises(PluginError) as caught:
        component.load()
    assert str(caught.value) == (
        "detector 'shy' of plugin 'shy' (shy 1.2) failed at loading its target"
        " 'shy_plugin:Sound': AttributeError: module 'shy_plugin' has no attribute 'Sound'"
    )


def test_an_exit_in_a_component_is_an_error_of_its_plugin(install, site):
    install("quitter")
    (site / "quitting.py").write_text("raise SystemExit('line\\nline')\n")
    component = load_plugins(strict=True).registry.get(DetectorSpec, "quitter")
    with pytest.raises(PluginError, match=r"^[^\n]*'quitting:X': SystemExit: line line$"):
        component.resolve("quitting:X")


def test_a_hook_may_return_a_list_and_have_any_name_with_specname(install):
    install(
        "lister",
        "@hookimpl(specname='fmb_register_detectors')\n"
        "def detectors():\n"
        "    return [DetectorSpec(name='listed', summary='S', target='a:B', config='a:C')]\n",
    )
    assert load_plugins(strict=True).registry.get(DetectorSpec, "listed")


def test_two_entry_points_of_one_module_are_two_plugins(install, site):
    install("twice")
    points = site / "twice-1.2.dist-info" / "entry_points.txt"
    points.write_text("[fmb]\na = twice_plugin\nb = twice_plugin\n")
    registry = load_plugins(strict=True).registry
    assert registry.get(DetectorSpec, "a:twice").plugin == "a"
    assert registry.clashes() == [
        "detector 'twice' is claimed by 2 plugins: write a:twice (twice 1.2) or b:twice (twice 1.2)"
    ]


def test_every_hook_has_a_documented_spec_without_arguments_and_a_record_class():
    assert set(HOOKS.values()) == {n for n in vars(HOOK_SPECS) if n[0] != "_"}
    for kind in KINDS:
        function = getattr(HOOK_SPECS, HOOKS[kind.kind])
        assert function.__doc__.startswith(f"Declare {kind.plural}; called once")
        assert "Example:\n    yield " in function.__doc__
        assert not signature(function).parameters
        assert kind.__name__ == f"{kind.kind.title()}Spec"
        with pytest.raises(PluginError, match=f"it yields object, expected {kind.__name__}"):
            check_record(object(), kind)


def test_every_kind_of_record_has_a_hook():
    kinds = {*Spec.__subclasses__(), *ComponentSpec.__subclasses__()} - {ComponentSpec}
    assert kinds == set(KINDS)
    assert {kind.kind for kind in kinds} == set(HOOKS)


FACES = (
    "fmb",
    "fmb.cli",
    "fmb.datasets",
    "fmb.plan",
    "fmb.scoring",
    "fmb.store",
    "fmb.testing",
    "fmb.torch",
    "fmb.weights",
)


@pytest.mark.parametrize("name", FACES)
def test_every_lazy_name_of_a_public_package_exists(name):
    face = import_module(name)
    assert face.__all__
    assert dir(face) == sorted(face.__all__)
    for public in face.__all__:
        assert getattr(face, public) is not None
    with pytest.raises(AttributeError, match="nothing"):
        face.nothing  # noqa: B018, the access is the test


def test_finding_plugins_imports_nothing_heavy():
    code = (
        "import sys; from fmb.plugins.loading import load_plugins; load_plugins();"
        "heavy = {'torch', 'numpy', 'pandas', 'sklearn', 'matplotlib', 'astropy', 'pydantic'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
