"""Components are looked up by name; a wrong name gets an answer that helps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmb.contract.detector import DetectorSpec
from fmb.contract.plot import PlotSpec
from fmb.messages.errors import AmbiguousNameError, ConfigError, UnknownNameError
from fmb.plugins.failures import Failure
from fmb.plugins.registry import Component, Registry, split_label


def component(name, plugin="mine", distribution="mine-dist", aliases=(), spec=DetectorSpec):
    record = spec(name=name, summary="S", target="json:loads", config="a:B", aliases=aliases)
    return Component(record, plugin, distribution, "1.0")


def registry(*components, failures=()):
    made = Registry()
    made.failures = failures
    for one in components:
        made.add(one)
    return made


def refusal(made, name, kind=DetectorSpec):
    with pytest.raises(UnknownNameError) as caught:
        made.get(kind, name)
    return str(caught.value)


def test_a_component_answers_to_its_name_its_alias_and_its_qualified_names():
    flow = component("flow", aliases=("maf",))
    made = registry(flow, component("gaussian"))
    for name in ("flow", "maf", "mine:flow", "mine:maf", "mine-dist:flow"):
        assert made.get(DetectorSpec, name) is flow


def test_kinds_do_not_mix():
    made = registry(component("same"), component("same", spec=PlotSpec))
    assert made.get(PlotSpec, "same").spec.kind == "plot"
    assert made.clashes() == []


def test_components_are_listed_by_name():
    made = registry(component("b"), component("a"), component("c", spec=PlotSpec))
    assert [one.spec.name for one in made.all(DetectorSpec)] == ["a", "b"]


def test_a_near_miss_gets_a_suggestion():
    made = registry(component("flow"), component("gaussian"))
    assert refusal(made, "flwo") == "no detector is called 'flwo'; did you mean 'flow'?"


def test_a_far_miss_names_what_is_installed_and_says_how_to_get_more():
    made = registry(component("flow"), component("gaussian"))
    assert refusal(made, "zzz") == (
        "no detector is called 'zzz'; choose from flow, gaussian,"
        " or pip install the package that provides it"
    )


def test_without_any_component_of_the_kind_the_advice_is_to_install_one():
    assert refusal(registry(), "flow") == (
        "no detector is called 'flow'; no installed package provides a detector:"
        " pip install one that does"
    )


def test_a_miss_names_the_plugins_that_are_broken():
    one = Failure("a", "a-dist", "1", "import", "ImportError: no x")
    two = Failure("b", "b-dist", "2", "hooks", "unknown hook")
    assert refusal(registry(failures=(one,)), "flow").endswith(
        "(plugin 'a' (a-dist 1) failed at import: ImportError: no x)"
    )
    assert refusal(registry(failures=(one, two)), "flow").endswith(
        "(plugins that failed to load: a, b; see `fmb plugins`)"
    )


def test_a_name_of_another_plugin_is_unknown():
    assert "no detector is called 'other:flow'" in refusal(
        registry(component("flow")), "other:flow"
    )


def test_three_claims_are_all_named():
    made = registry(*(component("same", plugin=f"p{n}", distribution=f"d{n}") for n in (3, 1, 2)))
    with pytest.raises(AmbiguousNameError) as caught:
        made.get(DetectorSpec, "same")
    assert str(caught.value) == (
        "detector 'same' is claimed by 3 plugins:"
        " write p1:same (d1 1.0) or p2:same (d2 1.0) or p3:same (d3 1.0)"
    )


def test_the_name_of_a_plugin_goes_before_that_of_a_distribution():
    first = component("same", plugin="x", distribution="y")
    second = component("same", plugin="y", distribution="z")
    assert registry(first, second).get(DetectorSpec, "y:same") is second


def test_loading_gives_the_object_that_the_record_names():
    import json

    assert component("flow").load() is json.loads
    assert component("flow").resolve("json:decoder.JSONDecoder") is json.JSONDecoder


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("flow", ("flow", "flow")),
        ("wide=flow", ("wide", "flow")),
        ("detectors:flow", ("flow", "detectors:flow")),
        ("my_flow-2=detectors:flow", ("my_flow-2", "detectors:flow")),
    ],
)
def test_a_label_is_what_stands_before_the_equals_sign_or_else_the_name(text, parts):
    assert split_label(text) == parts


@pytest.mark.parametrize("text", ["", "=", "=flow", "wide=", "Wide=flow", "a b=flow", "Flow", ":"])
def test_what_is_no_component_is_refused_with_the_form(text):
    with pytest.raises(ConfigError, match="write NAME or LABEL=NAME, lower case with hyphens"):
        split_label(text)


@given(st.from_regex(r"[a-z0-9]+([-_][a-z0-9]+)*", fullmatch=True), st.text(min_size=1))
def test_a_good_label_is_kept_whatever_it_names(label, name):
    assert split_label(f"{label}={name}") == (label, name)
