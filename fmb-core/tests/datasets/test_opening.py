import sys
from types import ModuleType
from typing import ClassVar

import pytest

from fmb.contract.config import Config
from fmb.contract.dataset import DatasetSpec
from fmb.datasets.opening import find_reader, open_dataset
from fmb.messages.errors import (
    AmbiguousNameError,
    ConfigError,
    DataError,
    FmbError,
    UnknownNameError,
)
from fmb.plugins.registry import Component, Registry


class SkyConfig(Config):
    size: int = 3


class Opened(tuple):
    """What a reader was asked, in place of a dataset that has no name and no inputs."""

    identity: ClassVar = {}
    inputs: ClassVar = {}


def open_sky(source, config, *, cache, progress=None):
    return Opened(("sky", source, config.size, cache))


def open_table(source, config, *, cache, progress=None):
    return Opened(("table", source))


@pytest.fixture
def registry(monkeypatch):
    module = ModuleType("fmb_test_readers")
    module.open_sky, module.open_table, module.SkyConfig = open_sky, open_table, SkyConfig
    monkeypatch.setitem(sys.modules, "fmb_test_readers", module)

    def component(name, target, plugin="core", **more):
        spec = DatasetSpec(
            name=name,
            summary="For a test",
            target=f"fmb_test_readers:{target}",
            config="fmb_test_readers:SkyConfig"
            if target == "open_sky"
            else "fmb.contract.config:Config",
            **more,
        )
        return Component(spec, plugin, f"fmb-{plugin}", "1.0")

    registry = Registry()
    registry.add(component("sky", "open_sky", aliases=("heaven",)))
    registry.add(
        component("table", "open_table", suffixes=(".tab", ".toml"), markers=("survey.toml",))
    )
    registry.add(component("cubes", "open_table", "other", suffixes=(".cube", ".tab")))
    return registry


@pytest.fixture
def opened(registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def opened(source, **more):
        return open_dataset(source, cache=tmp_path / "cache", registry=registry, **more)

    return opened


def test_a_name_opens_the_dataset_it_names(opened, tmp_path):
    assert opened("sky") == ("sky", "sky", 3, tmp_path / "cache")
    assert opened("heaven", settings={"size": 5})[2] == 5
    assert opened("core:sky")[0] == "sky"


def test_a_path_opens_with_the_reader_of_its_ending(opened, tmp_path):
    (tmp_path / "a.CUBE").touch()
    assert opened("a.CUBE") == ("table", "a.CUBE")
    (tmp_path / "survey.toml").touch()
    assert opened("survey.toml")[0] == "table"
    assert opened(".") == ("table", ".")


def test_a_name_wins_over_a_folder_of_that_name(opened, tmp_path):
    (tmp_path / "sky").mkdir()
    (tmp_path / "sky" / "survey.toml").touch()
    assert opened("sky")[0] == "sky"
    assert opened("./sky")[0] == "table"


def test_two_readers_for_a_path_are_refused_unless_one_is_named(opened, tmp_path):
    (tmp_path / "a.tab").touch()
    with pytest.raises(AmbiguousNameError, match="--reader other:cubes or --reader core:table"):
        opened("a.tab")
    assert opened("a.tab", reader="cubes")[0] == "table"


@pytest.mark.parametrize(
    ("source", "error", "pattern"),
    [
        ("skye", UnknownNameError, "'skye' is neither a dataset nor a file; did you mean 'sky'"),
        ("gone/survey.toml", DataError, r"gone/survey\.toml: no such file or folder"),
        ("gone.h5", DataError, r"gone\.h5: no such file or folder"),
        ("data.fits", DataError, r"no installed reader takes '\.fits' files; describe the data in"),
        ("folder", DataError, r"folder: no .* takes this folder as it is; describe the data"),
        ("table", ConfigError, "'table' reads files: give --data the path"),
    ],
)
def test_a_source_nobody_opens_is_refused_in_one_line(opened, tmp_path, source, error, pattern):
    (tmp_path / "data.fits").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(error, match=pattern) as caught:
        opened(source)
    assert "\n" not in str(caught.value)


def test_a_folder_is_told_the_readers_of_what_lies_deep_in_it(opened, registry, tmp_path):
    (tmp_path / "folder" / "a" / "b").mkdir(parents=True)
    (tmp_path / "folder" / "a" / "b" / "survey.toml").touch()
    with pytest.raises(DataError, match="for 'For a test' name the folder that holds the files;"):
        opened("folder")


def test_a_setting_the_dataset_does_not_take_is_refused(opened):
    with pytest.raises(ConfigError, match=r"unknown key data\.siz; did you mean 'size'"):
        opened("sky", settings={"siz": 1})
    with pytest.raises(UnknownNameError, match="no dataset is called 'cube'"):
        opened("sky", reader="cube")


PLUGIN = """
from fmb import DatasetSpec

@hookimpl
def fmb_register_datasets():
    yield DatasetSpec(
        name="skies", summary="S", target="skies_plugin:open_skies", suffixes=(".sky",)
    )

class Skies:
    identity = {"name": "skies"}
    inputs = {}

def open_skies(source, config, *, cache, progress=None):
    return Skies()
"""


def test_what_is_installed_opens_a_survey(install, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    install("skies", PLUGIN)
    (tmp_path / "a.sky").touch()
    (tmp_path / "a.h5").touch()
    assert open_dataset("a.sky", cache=tmp_path).identity == {"name": "skies"}
    with pytest.raises(
        FmbError, match=r"no installed reader takes '\.h5' files; describe the data"
    ):
        open_dataset("a.h5", cache=tmp_path)


def test_of_two_readers_the_one_that_knows_the_file_opens_it(registry, tmp_path):
    module = sys.modules["fmb_test_readers"]
    module.starts_with_t = lambda path: path.read_bytes()[:1] == b"t"
    module.always = lambda path: True

    def sniffing(name, sniff):
        return DatasetSpec(
            name=name,
            summary="For a test",
            target="fmb_test_readers:open_table",
            suffixes=(".two",),
            sniff=f"fmb_test_readers:{sniff}" if sniff else "",
        )

    path = tmp_path / "a.two"
    registry.add(Component(sniffing("first", "starts_with_t"), "one", "fmb-one", "1.0"))
    registry.add(Component(sniffing("second", ""), "two", "fmb-two", "1.0"))
    path.write_bytes(b"t")
    assert find_reader(str(path), None, registry).spec.name == "first"
    path.write_bytes(b"u")  # nobody knows it
    with pytest.raises(AmbiguousNameError, match="--reader one:first or --reader two:second"):
        find_reader(str(path), None, registry)
    registry.add(Component(sniffing("third", "always"), "three", "fmb-three", "1.0"))
    path.write_bytes(b"t")  # two know it
    with pytest.raises(AmbiguousNameError, match="--reader one:first or --reader three:third"):
        find_reader(str(path), None, registry)


def test_without_a_name_the_default_is_taken_if_there_is_one(registry):
    with pytest.raises(ConfigError, match="name the data with --data: a path, or one of cubes, sk"):
        find_reader(None, None, registry)
    for name in ("usual", "rival"):
        spec = DatasetSpec(name=name, summary="S", target="a:b", default=True)
        registry.add(Component(spec, "core", "fmb-core", "1.0"))
        if name == "usual":
            assert find_reader(None, None, registry).spec.name == "usual"
    with pytest.raises(ConfigError, match="a path, or one of rival, usual"):
        find_reader(None, None, registry)


def test_a_reader_of_files_needs_a_path_and_a_dataset_none(registry):
    with pytest.raises(ConfigError, match="--reader table reads files: give --data the path"):
        find_reader(None, "table", registry)
    assert find_reader(None, "sky", registry).spec.name == "sky"
