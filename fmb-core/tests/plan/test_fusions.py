"""Which lists a fusion takes, what it may be told, and what it refuses in one line."""

import pytest

from fmb.contract.config import Config
from fmb.contract.detector import DetectorSpec
from fmb.contract.names import VectorName
from fmb.messages.errors import ConfigError, UnknownNameError
from fmb.plan.choice import Chosen
from fmb.plan.fusions import FusionTerms
from fmb.plan.lists import Judge, Judged, choose_judges, plan_lists
from fmb.plugins.registry import Component, Registry
from fmb.request.options import options_request
from fmb.request.record import build_request


def judge(label, scope="single", *of, **terms):
    spec = DetectorSpec(name=label, summary="S", target="a:B", scope=scope)
    chosen = Chosen(label, Component(spec, "mine", "mine-dist", "1.0"), Config())
    return Judge(chosen, tuple(of), terms=FusionTerms(**terms))


def views(model, *names, embedder="mean"):
    return [Judged(VectorName(model, embedder, n), joint="joint" in n) for n in names]


ALL = views("m", "image", "spectrum", "joint")
THREE = [judge("flow"), judge("knn"), judge("mismatch", "pair")]


def members(*of, judged=ALL, judges=THREE, **terms):
    """Detector and view of what a fusion takes."""
    fused = [
        p
        for p in plan_lists([*judges, judge("any", "fusion", *of, **terms)], judged)
        if p.name.is_fusion
    ]
    return [[f"{one.detector} {one.view}" for one in plan.name.of] for plan in fused]


@pytest.mark.parametrize(
    ("of", "taken"),
    [
        (
            (),
            ["flow image", "knn image", "flow spectrum", "knn spectrum", "mismatch image+spectrum"],
        ),
        (("flow", "mismatch"), ["flow image", "flow spectrum", "mismatch image+spectrum"]),
        (("image",), ["flow image", "knn image"]),
        (("image", "flow", "spectrum"), ["flow image", "flow spectrum"]),
        (("joint", "image"), ["flow image", "knn image", "flow joint", "knn joint"]),
        (
            ("image+spectrum", "image"),
            ["flow image", "knn image", "mismatch image+spectrum"],
        ),
    ],
)
def test_of_names_detectors_and_views_and_a_joint_view_only_where_it_is_named(of, taken):
    assert members(*of) == [taken]


@pytest.mark.parametrize("count", [1, 4])
def test_each_model_and_embedder_is_fused_by_itself(count):
    judged = [v for i in range(count) for v in views(f"m{i}", "image", "spectrum")]
    judged += views("m0", "image", "spectrum", embedder="last")
    assert len(members(judged=judged)) == count + 1
    assert all(len(taken) == 5 for taken in members(judged=judged))


def test_letters_of_a_view_say_nothing():
    judged = views("m", "embedding_hsc_desi", "embedding_hsc")
    taken = members("embedding_hsc_desi", judged=judged)
    assert taken == [["flow embedding_hsc_desi", "knn embedding_hsc_desi"]]


@pytest.mark.parametrize(
    ("of", "message"),
    [
        (("any",), "detector.any.of names 'any', which is this fusion itself"),
        (("flo",), "detector.any.of names 'flo'; did you mean 'flow'?"),
        (("imagee",), "detector.any.of names 'imagee'; did you mean 'image'?"),
        (("joint", "mismatch"), "fuses the lists of others, and there are not two"),
    ],
)
def test_a_fusion_of_itself_of_nothing_or_of_one_list_is_refused_in_a_line(of, message):
    with pytest.raises((ConfigError, UnknownNameError)) as caught:
        members(*of)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_thresholds_go_to_the_lists_that_their_words_name():
    thresholds = {"image": 0.9, "flow": 0.5, "knn spectrum": 0.7}
    told = judge("any", "fusion", thresholds=thresholds)
    (fused,) = [p for p in plan_lists([*THREE, told], ALL) if p.name.is_fusion]
    assert {f"{n.detector} {n.view}": t for n, t in fused.thresholds.items()} == {
        "flow image": 0.9,
        "knn image": 0.9,
        "flow spectrum": 0.5,
        "knn spectrum": 0.7,
    }
    with pytest.raises(UnknownNameError, match="thresholds: no list is called 'imge'; did you mea"):
        members(thresholds={"imge": 0.9})


@pytest.fixture
def registry():
    made = Registry()
    for name, more in (
        ("flow", {}),
        ("gap", {"scope": "pair"}),
        ("any", {"scope": "fusion", "fitted": False, "members": ("flow", "gap")}),
        ("odd", {"scope": "fusion", "fitted": False, "members": ("flow", "absent")}),
        ("learnt", {"scope": "fusion"}),
    ):
        spec = DetectorSpec(name=name, summary="S", target="a:B", **more)
        made.add(Component(spec, "mine", "mine-dist", "1.0"))
    return made


def labels(registry, **options):
    judges = choose_judges(options_request(options), registry)
    return [judge.detector.label for judge in judges]


def test_a_fusion_that_is_asked_for_alone_brings_its_members(registry):
    assert labels(registry, fusion="any") == ["any", "flow", "gap"]
    assert labels(registry, fusion="mine=any") == ["mine", "flow", "gap"]
    assert labels(registry, fusion="any", detector="flow") == ["flow", "any"]
    assert labels(registry, fusion=["any", "odd"])[:2] == ["any", "odd"]
    assert labels(registry, fusion="any", no_companions=True) == ["any"]


def test_members_that_of_names_come_instead_of_the_usual_ones(registry):
    request = build_request({"detector": {"mine": {"use": "any", "of": ["gap", "image"]}}})
    assert [j.detector.label for j in choose_judges(request, registry)] == ["mine", "gap"]


def test_a_member_that_is_not_installed_is_named(registry, caplog):
    assert labels(registry, fusion="odd") == ["odd", "flow"]
    assert "odd goes without absent, which is not installed" in caplog.text


def test_what_is_no_fusion_is_refused_as_one(registry):
    with pytest.raises(ConfigError) as caught:
        labels(registry, fusion="flow")
    assert str(caught.value) == (
        "--fusion flow: 'flow' fuses no lists, it judges vectors of one view; name it with"
        " --detector"
    )
    with pytest.raises(ConfigError, match="'any' is named by --detector and by --fusion"):
        labels(registry, fusion="any", detector="any")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"use": "flow", "missing": "common"}, "detector.x.missing goes with a fusion of lists"),
        ({"use": "flow", "thresholds": {"a": 0.5}}, "detector.x.thresholds goes with a fusion"),
        ({"use": "learnt", "missing": "apart"}, "'learnt' is fitted to the objects that are in al"),
        ({"use": "learnt", "thresholds": {"a": 0.5}}, "detector.x.thresholds: 'learnt' is fitted"),
    ],
)
def test_terms_that_do_not_go_with_a_detector_are_refused(registry, table, message):
    request = build_request({"detector": {"x": table}})
    with pytest.raises(ConfigError) as caught:
        choose_judges(request, registry)
    assert message in str(caught.value)


@pytest.mark.parametrize("value", [0, 1.5])
def test_a_threshold_is_a_percentile(value):
    with pytest.raises(ConfigError, match=r"detector\.any\.thresholds\.image"):
        build_request({"detector": {"any": {"thresholds": {"image": value}}}})


def test_rules_rank_what_lists_lack_apart_unless_told_and_fitted_ones_leave_it_out(registry):
    for table, apart in (
        ({"use": "any"}, True),
        ({"use": "any", "missing": "common"}, False),
        ({"use": "learnt"}, False),
    ):
        (judge, *_) = choose_judges(build_request({"detector": {"x": table}}), registry)
        assert judge.terms.apart is apart


def test_a_threshold_is_the_same_from_options_from_a_file_and_from_python(
    registry, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.toml").write_text("[detector.any]\nthresholds = {image = 0.99}\n")
    as_set = options_request({"fusion": "any", "set": ["detector.any.thresholds.image=0.99"]})
    as_file = options_request({"fusion": "any", "config": "a.toml"})
    as_plain = build_request(
        {"detector": {"any": {"scope": "fusion", "thresholds": {"image": 0.99}}}}
    )
    terms = {
        choose_judges(request, registry)[0].terms.thresholds["image"]
        for request in (as_set, as_file, as_plain)
    }
    assert terms == {0.99}
    (bare, *_) = choose_judges(options_request({"fusion": "any"}), registry)
    assert bare.terms.thresholds == {}
