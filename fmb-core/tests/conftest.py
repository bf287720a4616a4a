import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from fmb.plugins.loading import plugin_entries

PLUGIN_HEAD = """
from fmb import DetectorSpec, EmbedderSpec, hookimpl

FMB_API = 1
"""

GOOD_PLUGIN = """
@hookimpl
def fmb_register_detectors():
    yield DetectorSpec(name="{name}", summary="Sound", target="{module}:Sound", config="fmb:Config")
"""


@pytest.fixture
def site(tmp_path, monkeypatch) -> Path:
    """A folder on the import path; besides what is installed there only fmb-core is found."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    for name in ("FMB_STRICT", "FMB_DISABLE_PLUGINS"):
        monkeypatch.delenv(name, raising=False)

    def only_here() -> list[EntryPoint]:
        return [
            entry
            for entry in plugin_entries()
            if entry.value == "fmb.plugins.builtin" or Path(entry.dist.locate_file("")) == folder
        ]

    monkeypatch.setattr("fmb.plugins.loading.plugin_entries", only_here)
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def install(site) -> Callable[..., None]:
    """Install a distribution with one plugin module of the given code into `site`."""

    def install(
        name: str,
        body: str | None = None,
        *,
        plugin: str = "",
        version: str = "1.2",
        head=PLUGIN_HEAD,
    ) -> None:
        module = name.replace("-", "_") + "_plugin"
        if body is None:
            body = GOOD_PLUGIN.format(name=name, module=module)
        (site / f"{module}.py").write_text(head + body)
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[fmb]\n{plugin or name} = {module}\n")

    return install
