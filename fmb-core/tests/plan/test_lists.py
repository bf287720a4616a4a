"""Which lists a plan has: who judges what, in which order, and what nobody can judge."""

import pytest

from fmb.contract.config import Config
from fmb.contract.detector import DetectorSpec
from fmb.contract.names import ListName, VectorName
from fmb.messages.errors import ConfigError, UnknownNameError
from fmb.plan.choice import Chosen
from fmb.plan.lists import Judge, Judged, choose_judges, plan_lists
from fmb.plugins.registry import Component, Registry
from fmb.request.record import build_request


def judge(label, scope="single", *of, companion=False):
    spec = DetectorSpec(name=label, summary="S", target="a:B", scope=scope)
    chosen = Chosen(label, Component(spec, "mine", "mine-dist", "1.0"), Config())
    return Judge(chosen, tuple(of), companion)


def views(model, *names, embedder="mean", aligned=False):
    return [
        Judged(VectorName(model, embedder, name), joint=name == "joint", aligned=aligned)
        for name in names
    ]


def stems(judges, judged):
    return [one.name.stem for one in plan_lists(judges, judged)]


ALL = views("m", "image", "spectrum", "joint")


def test_single_lists_are_by_view_then_by_detector():
    judged = [*views("b", "image", "joint"), *views("a", "image")]
    assert stems([judge("flow"), judge("gaussian")], judged) == [
        "b.mean.image.flow",
        "b.mean.image.gaussian",
        "b.mean.joint.flow",
        "b.mean.joint.gaussian",
        "a.mean.image.flow",
        "a.mean.image.gaussian",
    ]


def test_a_pair_is_two_views_of_one_model_and_embedder_neither_of_them_joint():
    judged = [*ALL, *views("m", "image", "spectrum", embedder="last"), *views("other", "image")]
    lists = plan_lists([judge("mismatch", "pair")], judged)
    assert [one.name.of for one in lists] == [
        (VectorName("m", "mean", "image"), VectorName("m", "mean", "spectrum")),
        (VectorName("m", "last", "image"), VectorName("m", "last", "spectrum")),
    ]


def test_three_views_make_three_pairs():
    pairs = plan_lists([judge("mismatch", "pair")], views("m", "a", "b", "c"))
    assert [one.name.view for one in pairs] == ["a+b", "a+c", "b+c"]


@pytest.mark.parametrize("aligned", [True, False])
def test_a_pair_says_whether_its_views_share_a_space(aligned):
    (pair,) = plan_lists([judge("x", "pair")], views("m", "image", "spectrum", aligned=aligned))
    assert pair.aligned is aligned


def test_a_fusion_takes_all_lists_of_one_model_and_embedder():
    judged = [*views("m", "image", "spectrum"), *views("m", "image", embedder="last")]
    judges = [judge("any", "fusion"), judge("flow"), judge("knn"), judge("mismatch", "pair")]
    *_, one, other = plan_lists(judges, judged)
    image, spectrum, last = (one.name for one in judged)
    assert one.name == ListName(
        "any",
        (
            ListName("flow", (image,)),
            ListName("knn", (image,)),
            ListName("flow", (spectrum,)),
            ListName("knn", (spectrum,)),
            ListName("mismatch", (image, spectrum)),
        ),
    )
    assert other.name == ListName("any", (ListName("flow", (last,)), ListName("knn", (last,))))


def test_lists_of_one_view_come_first_then_pairs_then_fusions_whoever_is_named_first():
    judges = [judge("any", "fusion"), judge("mismatch", "pair"), judge("flow")]
    assert [one.name.detector for one in plan_lists(judges, views("m", "image", "spectrum"))] == [
        "flow",
        "flow",
        "mismatch",
        "any",
    ]


def test_a_list_alone_is_fused_with_nothing():
    judged = [*views("m", "image", "spectrum"), *views("one", "image")]
    fused = [s for s in stems([judge("flow"), judge("any", "fusion")], judged) if "any" in s]
    assert fused == ["m.mean.image+spectrum.any"]


def test_of_narrows_what_is_judged():
    judges = [judge("flow", "single", "joint"), judge("gaussian")]
    assert stems(judges, ALL) == [
        "m.mean.image.gaussian",
        "m.mean.spectrum.gaussian",
        "m.mean.joint.flow",
        "m.mean.joint.gaussian",
    ]
    (pair,) = plan_lists([judge("x", "pair", "b", "a")], views("m", "a", "b", "c"))
    assert pair.name.view == "a+b"
    judges = [judge("flow"), judge("knn"), judge("any", "fusion", "knn")]
    (*_, fusion) = plan_lists(judges, views("m", "image", "spectrum"))
    assert [one.detector for one in fusion.name.of] == ["knn", "knn"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (judge("flow", "single", "imgae"), "detector.flow.of names 'imgae'; did you mean 'image'"),
        (judge("x", "pair", "spectra"), "detector.x.of names 'spectra'; did you mean 'spectrum'"),
        (judge("any", "fusion", "gausian"), "detector.any.of names 'gausian'; did you mean 'gauss"),
        (judge("any", "fusion", "any"), "detector.any.of names 'any', which is this fusion itself"),
    ],
)
def test_a_misspelt_of_gets_a_hint(asked, message):
    with pytest.raises((UnknownNameError, ConfigError)) as caught:
        plan_lists([judge("gaussian"), asked], ALL)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "judged", "message"),
    [
        (judge("x", "pair"), views("m", "image"), "detector 'x' compares two views of a model"),
        (judge("x", "pair"), views("m", "image", "joint"), "there is only image, joint: take"),
        (judge("x", "pair"), [*views("m", "image"), *views("n", "spectrum")], "compares two views"),
        (judge("x", "pair", "joint"), ALL, "there is only joint: take a survey with more inputs"),
        (judge("x"), [], "detector 'flow' has no vectors to judge: no view has all its inputs"),
        (judge("x", "fusion"), views("m", "image"), "'x' fuses the lists of others, and there are"),
        (judge("x", "fusion", "flow"), views("m", "image"), "not two: name more detectors with"),
    ],
)
def test_a_detector_that_was_asked_for_and_has_nothing_to_judge_is_refused(asked, judged, message):
    with pytest.raises(ConfigError) as caught:
        plan_lists([judge("flow"), asked], judged)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("scope", ["pair", "fusion"])
def test_a_companion_with_nothing_to_judge_stays_away(scope):
    judges = [judge("flow"), judge("x", scope, companion=True)]
    assert stems(judges, views("m", "image")) == ["m.mean.image.flow"]
    assert "m.mean.image+spectrum.x" in stems(judges, views("m", "image", "spectrum"))


def test_a_fusion_that_comes_along_needs_two_views_and_one_that_was_asked_for_two_lists():
    two = [judge("flow"), judge("knn")]
    image, both = views("m", "image"), views("m", "image", "spectrum")
    assert "m.mean.image.x" not in stems([*two, judge("x", "fusion", companion=True)], image)
    assert "m.mean.image.x" in stems([*two, judge("x", "fusion")], image)
    assert "m.mean.image+spectrum.x" in stems([*two, judge("x", "fusion", companion=True)], both)


@pytest.fixture
def registry():
    made = Registry()
    for name, more in (
        ("flow", {}),
        ("mismatch", {"scope": "pair", "companion": True}),
        ("any", {"scope": "fusion", "companion": True}),
    ):
        spec = DetectorSpec(name=name, summary="S", target="a:B", **more)
        made.add(Component(spec, "mine", "mine-dist", "1.0"))
    return made


def asked(**tables):
    return build_request(tables)


def test_companions_come_along_with_what_was_asked_for(registry):
    judges = choose_judges(asked(detector={"wide": {"use": "flow"}}), registry)
    assert [(j.detector.label, j.companion) for j in judges] == [
        ("wide", False),
        ("any", True),
        ("mismatch", True),
    ]


def test_companions_stay_away_when_told(registry):
    request = asked(detector={"flow": {}}, run={"companions": False})
    assert [judge.detector.label for judge in choose_judges(request, registry)] == ["flow"]


@pytest.mark.parametrize(
    "table", [{"mismatch": {}}, {"gap": {"use": "mismatch"}}, {"gap": {"use": "mine:mismatch"}}]
)
def test_a_companion_that_was_asked_for_does_not_come_twice(registry, table):
    judges = choose_judges(asked(detector=table), registry)
    names = [judge.detector.spec.name for judge in judges]
    assert sorted(names) == ["any", "mismatch"]
    (own,) = [judge for judge in judges if judge.detector.spec.name == "mismatch"]
    assert not own.companion


def test_a_label_that_is_taken_keeps_a_companion_away(registry):
    judges = choose_judges(asked(detector={"mismatch": {"use": "flow"}}), registry)
    assert [(j.detector.label, j.detector.spec.name) for j in judges] == [
        ("mismatch", "flow"),
        ("any", "any"),
    ]


def test_what_a_detector_judges_is_read_from_its_table(registry):
    (own, *_) = choose_judges(asked(detector={"flow": {"of": ["image"]}}), registry)
    assert own.of == ("image",)


def test_no_detector_at_all_is_refused_with_the_names_of_those_installed(registry):
    with pytest.raises(ConfigError, match="name a detector with --detector; installed: any, flow"):
        choose_judges(asked(), registry)
    with pytest.raises(ConfigError, match="installed: none"):
        choose_judges(asked(), Registry())
