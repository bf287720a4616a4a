"""Configuration is typed and frozen, and every refusal names the key."""

import tomllib
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError, field_validator

from fmb.contract.config import Config
from fmb.messages.errors import ConfigError
from fmb.plugins.settings import build, merge, parse_setting, read_toml


class Optimiser(Config):
    rate: float = 0.1


class Flow(Config):
    epochs: int = 20
    optimiser: Optimiser = Optimiser()
    layers: tuple[int, ...] = ()

    @field_validator("epochs")
    @classmethod
    def _positive(cls, value: int) -> int:
        if value < 1:
            raise ValueError("Must be at least 1,\n  it is a count")
        return value


class Located(Config):
    path: str


def refusal(values, cls=Flow):
    with pytest.raises(ConfigError) as caught:
        build(cls, values, "detector.wide")
    return str(caught.value)


def test_missing_keys_take_their_defaults():
    assert build(Flow, {"epochs": 3}, "x") == Flow(epochs=3, optimiser=Optimiser(rate=0.1))


def test_a_misspelt_key_is_named_with_the_nearest_right_one():
    assert refusal({"epoch": 3}) == "unknown key detector.wide.epoch; did you mean 'epochs'?"


def test_a_misspelt_key_of_a_nested_table_is_suggested_from_that_table():
    assert refusal({"optimiser": {"rat": 3}}) == (
        "unknown key detector.wide.optimiser.rat; did you mean 'rate'?"
    )


def test_a_key_unlike_any_other_gets_the_whole_list():
    assert refusal({"zzz": 3}) == (
        "unknown key detector.wide.zzz; choose from epochs, optimiser, layers"
    )


def test_a_component_without_options_says_so():
    assert refusal({"epochs": 1}, Config) == (
        "unknown key detector.wide.epochs; it takes no options"
    )


def test_a_value_of_the_wrong_kind_is_shown_with_its_key():
    message = refusal({"epochs": "many"})
    assert message.startswith("detector.wide.epochs = 'many': input should be a valid integer")


def test_a_place_in_a_list_is_named():
    assert refusal({"layers": [1, "x"]}).startswith("detector.wide.layers.1 = 'x': input should")


def test_a_check_of_the_author_reads_as_one_line():
    assert refusal({"epochs": 0}) == ("detector.wide.epochs = 0: must be at least 1, it is a count")


def test_all_mistakes_are_reported_at_once():
    assert refusal({"epochs": 0, "layer": 1}).count("; ") >= 1
    assert "epochs" in refusal({"epochs": 0, "layer": 1})
    assert "layers" in refusal({"epochs": 0, "layer": 1})


def test_a_value_without_default_must_be_given():
    assert refusal({}, Located) == "detector.wide.path must be given; it has no default"


def test_a_number_where_a_table_belongs_is_refused():
    assert refusal(3) == "detector.wide = 3: expected a table of options"


def test_a_configuration_cannot_be_changed():
    with pytest.raises(ValidationError):
        Flow().epochs = 3


def test_later_layers_win_and_tables_are_merged_key_by_key():
    low = {"a": {"x": 1, "y": 1}, "b": 1, "c": [1, 2]}
    high = {"a": {"y": 2, "z": 2}, "c": [3]}
    assert merge(low, {}, high) == {"a": {"x": 1, "y": 2, "z": 2}, "b": 1, "c": [3]}
    assert low == {"a": {"x": 1, "y": 1}, "b": 1, "c": [1, 2]}


def test_a_table_and_a_value_replace_each_other():
    assert merge({"a": 1}, {"a": {"x": 1}}) == {"a": {"x": 1}}
    assert merge({"a": {"x": 1}}, {"a": 1}) == {"a": 1}


nested = st.recursive(
    st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
)
tables = st.dictionaries(st.sampled_from("abc"), nested, max_size=3)


@given(tables)
def test_an_empty_layer_and_a_repeated_one_change_nothing(table):
    assert merge(table, {}) == merge({}, table) == merge(table, table) == table


@given(tables, tables)
def test_every_value_of_the_last_layer_is_in_the_merged_table(low, high):
    def within(part, whole):
        if not isinstance(part, dict):
            return part == whole
        return all(key in whole and within(value, whole[key]) for key, value in part.items())

    merged = merge(low, high)
    assert within(high, merged)
    assert merged.keys() == low.keys() | high.keys()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("50", 50),
        ("1e-4", 1e-4),
        ("true", True),
        ("[1, 2]", [1, 2]),
        ("{x = 1}", {"x": 1}),
        ("'quoted'", "quoted"),
        ("flow", "flow"),
        ("a=b", "a=b"),
        ("", ""),
        ("-5", -5),
        ("mag_r < 22", "mag_r < 22"),
        ("1\nother = 2", "1\nother = 2"),
        ("C:\\new", "C:\\new"),
    ],
)
def test_a_setting_is_toml_or_else_a_string(text, value):
    assert parse_setting(f"detector.wide.key={text}") == {"detector": {"wide": {"key": value}}}


@pytest.mark.parametrize("text", ["epochs", "=3", "a..b=3", ".a=3", ""])
def test_a_setting_without_key_or_equals_sign_is_refused(text):
    with pytest.raises(ConfigError, match="write KEY=VALUE"):
        parse_setting(text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.toml: no such file$"):
        read_toml(tmp_path / "absent.toml")


def test_a_file_that_is_not_toml_is_named_with_the_line(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("a = 1\nb = \n")
    with pytest.raises(ConfigError, match=r"run\.toml: not valid TOML: .*line 2"):
        read_toml(path)


@pytest.mark.parametrize("content", [b"\xff\xfe", None], ids=["not UTF-8", "a folder"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "run.toml"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"run\.toml: cannot be read"):
        read_toml(path)


def test_a_good_file_is_read(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("[detector.wide]\nuse = 'flow'\n")
    assert read_toml(path) == tomllib.loads(path.read_text())


def test_a_choice_that_must_be_made_is_shown():
    class Chosen(Config):
        higher: Literal["stranger", "ordinary"]

    with pytest.raises(
        ConfigError, match=r"x\.higher must be given; it has no default: 'stranger'"
    ):
        build(Chosen, {}, "x")
