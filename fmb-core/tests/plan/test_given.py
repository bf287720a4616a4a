"""Which lists are given roles: those of one view, and others only by their own table."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fmb.contract.config import Config
from fmb.contract.detector import DetectorSpec
from fmb.contract.names import VectorName
from fmb.messages.errors import ConfigError
from fmb.plan.choice import Chosen
from fmb.plan.given import check_given, give_roles
from fmb.plan.lists import Judge, Judged, plan_lists
from fmb.plugins.registry import Component
from fmb.request.record import build_request

CHOSEN = ("magnitude", "snr")
VIEWS = [Judged(VectorName("m", "mean", view)) for view in ("image", "spectrum")]


def judge(label, scope="single", **more):
    spec = DetectorSpec(name=label, summary="S", target="a:B", scope=scope, **more)
    return Judge(Chosen(label, Component(spec, "mine", "mine-dist", "1.0"), Config()))


def asked(**tables):
    return build_request({"run": {"given": "auto"}, "detector": tables})


def survey(n=400, **columns):
    rng = np.random.default_rng(0)
    catalog = pd.DataFrame({"mag_r": rng.normal(size=n), "snr": rng.normal(size=n), **columns})
    catalog["redshift"] = rng.uniform(size=n)
    catalog.attrs["roles"] = {"magnitude": "mag_r"}

    class Survey(SimpleNamespace):
        def __len__(self):
            return n

    return Survey(catalog=catalog, inputs={})


def lists(judges, request, dataset=None):
    made, notes = give_roles(judges, request, survey() if dataset is None else dataset)
    given = {one.name.stem: one.name.given for one in plan_lists(made, VIEWS)}
    return given, [str(note.text) for note in notes]


def test_auto_gives_roles_to_lists_of_one_view_only():
    judges = [
        judge("flow"),
        judge("mismatch", "pair"),
        judge("any", "fusion"),
        judge("rule", fitted=False),
    ]
    given, notes = lists(judges, asked(flow={}, mismatch={}, any={}, rule={}))
    assert given == {
        "m.mean.image.flow.given": CHOSEN,
        "m.mean.spectrum.flow.given": CHOSEN,
        "m.mean.image.rule": (),
        "m.mean.spectrum.rule": (),
        "m.mean.image+spectrum.mismatch": (),
        "m.mean.image+spectrum.any": (),
    }
    assert notes == []


def test_a_table_of_its_own_gives_a_pair_its_roles_and_wins_over_the_run():
    judges = [judge("flow"), judge("raw"), judge("mismatch", "pair")]
    tables = {"flow": {}, "raw": {"given": "none"}, "mismatch": {"given": ["redshift"]}}
    given, _ = lists(judges, asked(**tables))
    assert given["m.mean.image.raw"] == ()
    assert given["m.mean.image+spectrum.mismatch.given"] == ("redshift",)
    assert given["m.mean.image.flow.given"] == CHOSEN


@pytest.mark.parametrize("written", ["redshift,snr,redshift", ["redshift", "snr"]])
def test_roles_are_written_as_text_or_as_a_list_each_once(written):
    given, _ = lists([judge("flow")], asked(flow={"given": written}))
    assert given["m.mean.image.flow.given"] == ("redshift", "snr")


def test_a_list_made_of_lists_is_given_nothing_itself():
    with pytest.raises(ConfigError, match=r"^detector\.any\.given: a list made of lists is given"):
        check_given([judge("any", "fusion")], asked(any={"given": ["snr"]}))


@pytest.mark.parametrize(("n", "given"), [(279, ()), (280, CHOSEN)])
def test_auto_needs_280_objects(n, given):
    made, notes = lists([judge("flow")], asked(flow={}), survey(n))
    assert list(made.values()) == [given, given]
    assert len(notes) == (not given)


def test_rows_of_the_catalogue_are_judged_by_what_others_are_given_or_all_there_is():
    judges, request = [judge("rows", "catalogue")], asked(rows={})
    none = build_request({"run": {"given": "none"}, "detector": {"rows": {}}})
    one = build_request({"run": {"given": ["snr"]}, "detector": {"rows": {}}})
    for wanted, roles in ((request, CHOSEN), (none, CHOSEN), (one, ("snr",))):
        made, _ = give_roles(judges, wanted, survey(100))
        (row,) = plan_lists(made, [])
        assert (row.roles, row.name.given) == (roles, ())


def test_what_a_detector_is_given_is_nobodys_business_where_none_is_planned():
    check_given((), build_request({"detector": {"gaussian": {"given": ["magnitude"]}}}))
