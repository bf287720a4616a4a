"""Options and the request say the same: places, types, choices and defaults."""

import re
from typing import Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from fmb.plugins.sheet import attribute_docs
from fmb.request.option_table import COMPONENTS, OPTIONS, options_of
from fmb.request.options import options_request
from fmb.request.record import Request

PLACED = [option for option in OPTIONS if option.place]


def named(options):
    return pytest.mark.parametrize("option", options, ids=[option.name for option in options])


def table_of(place):
    """The class of the request's table that `place` is in."""
    name = place.partition(".")[0]
    annotation = Request.model_fields[name].annotation
    kinds = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
    (table,) = [kind for kind in kinds if issubclass(kind, BaseModel)]
    return table


def field_of(option):
    return table_of(option.place).model_fields[option.place.partition(".")[2]]


def kinds_of(option):
    """The types that the field takes, None left out."""
    annotation = field_of(option).annotation
    return {kind for kind in get_args(annotation) or (annotation,) if kind is not type(None)}


@named(PLACED)
def test_the_place_of_an_option_is_a_field_of_the_request(option):
    table, _, key = option.place.partition(".")
    assert table in Request.model_fields
    assert key in table_of(option.place).model_fields


def test_no_two_options_share_a_name_or_a_place():
    assert len({option.name for option in OPTIONS}) == len(OPTIONS)
    assert len({option.place for option in PLACED}) == len(PLACED)


@named([option for option in PLACED if "[" in option.help])
def test_the_default_in_brackets_is_that_of_the_field(option):
    (shown,) = re.findall(r"\[(.*?)\]", option.help)
    default = field_of(option).default
    if default is None:  # what is left out has a default of its own, which the field tells
        about = attribute_docs(table_of(option.place))[option.place.partition(".")[2]]
        assert f'left out: "{shown}"' in about
    else:
        assert shown == str(default)


def test_defaults_are_shown_where_there_is_one():
    shown = {option.name for option in PLACED if "[" in option.help}
    assert {"folds", "fold_by", "ids", "top", "batch_size", "seed", "precision"} <= shown


@named([option for option in PLACED if option.whole])
def test_an_option_that_is_a_whole_number_is_one_in_the_request(option):
    assert kinds_of(option) == {int}


@named([option for option in PLACED if not option.whole and option.metavar])
def test_any_other_option_with_a_value_is_text(option):
    text = (str, tuple[str, ...])  # several as one text, with commas
    assert all(
        kind in text or isinstance(kind, str) or get_origin(kind) is Literal
        for kind in kinds_of(option)
    )


@named([o for o in PLACED if any(isinstance(kind, str) for kind in kinds_of(o))])
def test_the_choices_of_an_option_are_those_of_the_field(option):
    assert set(option.metavar.split("|")) == kinds_of(option)


@named([option for option in OPTIONS if not option.metavar])
def test_a_switch_turns_its_field_over(option):
    off = option.name.startswith("no_")
    field = field_of(option)
    assert field.annotation is bool
    assert field.default is off
    table, _, key = option.place.partition(".")
    asked = options_request({option.name: True})
    assert getattr(getattr(asked, table), key) is not off
    assert options_request({option.name: False}) == options_request({})


@named([option for option in OPTIONS if option.repeats])
def test_an_option_that_repeats_has_no_single_place(option):
    assert option.place == ""


def test_options_that_label_components_are_tables_of_the_request():
    for name in COMPONENTS:
        (option,) = [option for option in OPTIONS if option.name == name]
        assert option.repeats
        assert name in Request.model_fields


def test_options_are_typed_with_hyphens():
    flags = {option.name: option.flag for option in OPTIONS}
    assert flags["allow_out_of_domain"] == "--allow-out-of-domain"
    assert flags["model"] == "--model"


def test_groups_are_taken_in_the_order_of_the_table():
    names = [option.name for option in options_of("compute", "data")]
    assert names == [
        *("data", "reader", "where", "limit", "include", "exclude", "split", "skip_bad"),
        *("workers", "device", "precision", "verify", "retry", "seed"),
    ]
