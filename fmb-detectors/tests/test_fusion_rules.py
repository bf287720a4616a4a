"""What each fusion makes of percentiles, by arithmetic, and what all of them keep."""

import numpy as np
import pytest
from scipy.stats import cauchy as cauchy_distribution
from scipy.stats import gmean, rankdata

from fmb import Config, ConfigError, ListName, Members, VectorName
from fmb_detectors.any_view import AnyView
from fmb_detectors.consensus import Consensus
from fmb_detectors.fusion_config import ConsensusConfig, GeoConfig, QuotaConfig
from fmb_detectors.mean_rules import AvgFusion, GeoFusion, MaxFusion, MinFusion, RankProduct
from fmb_detectors.pareto import Pareto
from fmb_detectors.pareto_fronts import front_numbers
from fmb_detectors.plugin import fmb_register_detectors
from fmb_detectors.quota import Quota

IMAGE, SPECTRUM = (VectorName("m", "mean", view) for view in ("image", "spectrum"))
NAMES = (
    ListName("flow", (IMAGE,)),
    ListName("flow", (SPECTRUM,)),
    ListName("mismatch", (IMAGE, SPECTRUM)),
)
RULES = {
    "any-view": AnyView,
    "avg": AvgFusion,
    "consensus": Consensus,
    "geo": GeoFusion,
    "max": MaxFusion,
    "min": MinFusion,
    "pareto": Pareto,
    "quota": Quota,
    "rank-product": RankProduct,
}
RECORDS = {r.name: r for r in fmb_register_detectors() if r.scope == "fusion"}


def members(*columns, names=NAMES):
    percentiles = dict(zip(names, map(np.asarray, columns), strict=True))
    return Members(np.arange(len(columns[0])), percentiles)


def drawn(n, lists=3, seed=0):
    """Percentiles of n objects in lists that agree a little."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(lists, n)) + rng.normal(size=n)
    return rankdata(scores, axis=1) / n


def rule(name, **options):
    configs = {"geo": GeoConfig, "quota": QuotaConfig, "consensus": ConsensusConfig}
    return RULES[name](configs.get(name, Config)(**options), seed=0, device="cpu")


def order(scores):
    return np.argsort(-scores, kind="stable").tolist()


def test_every_fusion_is_declared_and_tried_here():
    assert set(RECORDS) == set(RULES)


def test_geo_with_the_weights_of_the_original_is_its_formula():
    image, spectrum, mismatch = drawn(200)
    original = mismatch * np.sqrt(image * spectrum)
    np.testing.assert_allclose(rule("geo").score(members(*drawn(200))) ** 2, original, rtol=1e-12)


def test_geo_takes_weights_by_label_view_or_both():
    values = drawn(50)
    alike = rule("geo", weights={"flow": 1, "mismatch": 1}).score(members(*values))
    np.testing.assert_allclose(alike, gmean(values, axis=0), rtol=1e-12)
    given = {"flow": 1, "flow spectrum": 3, "image+spectrum": 2}
    weighted = rule("geo", weights=given).score(members(*values))
    expected = np.exp(np.average(np.log(values), axis=0, weights=[1, 3, 2]))
    np.testing.assert_allclose(weighted, expected, rtol=1e-12)


def test_lists_of_one_view_share_its_weight():
    image, spectrum, mismatch = drawn(50)
    names = (*NAMES, ListName("knn", (IMAGE,)))
    twice = rule("geo").score(members(image, spectrum, mismatch, image, names=names))
    once = rule("geo").score(members(image, spectrum, mismatch))
    np.testing.assert_allclose(twice, once, rtol=1e-12)


def test_a_weight_of_no_list_is_refused_with_a_hint():
    with pytest.raises(ConfigError, match="no list is called 'mismtach'; did you mean 'mismatch'"):
        rule("geo", weights={"mismtach": 2}).require_lists(NAMES)
    rule("geo", weights={"flow": 2, "image+spectrum": 1}).require_lists(NAMES)
    with pytest.raises(ValueError, match="greater than 0"):
        GeoConfig(weights={"flow": 0})


@pytest.mark.parametrize(("name", "formula"), [("min", np.min), ("avg", np.mean), ("max", np.max)])
def test_min_avg_and_max_are_what_they_say(name, formula):
    values = drawn(50)
    np.testing.assert_allclose(rule(name).score(members(*values)), formula(values, axis=0))


def test_rank_product_is_minus_the_log_of_the_geometric_mean_of_rank_over_n():
    values = drawn(80)
    ranks = rankdata(-values, axis=1)
    expected = -np.log(gmean(ranks / 80, axis=0))
    np.testing.assert_allclose(rule("rank-product").score(members(*values)), expected, rtol=1e-9)


def test_any_view_is_the_mean_of_cauchy_quantiles_of_p_no_larger_than_a_half():
    values = drawn(80)
    p = np.minimum(rankdata(-values, axis=1) / 80, 0.5)
    expected = cauchy_distribution.isf(p).mean(axis=0)
    np.testing.assert_allclose(rule("any-view").score(members(*values)), expected, atol=1e-9)


def test_the_first_of_one_view_leads_any_view_wherever_it_stands_in_the_others():
    n = 1000
    values = drawn(n)
    values[:, [0, 1]] = [[1, 0.999], [0.001, 0.6], [0.5, 0.6]]
    assert order(rule("any-view").score(members(*values))).index(0) < 5
    assert order(rule("geo").score(members(*values))).index(0) > 500


def test_two_lists_of_one_view_are_one_vote():
    """Five lists of an image against one of a mismatch count as one against one."""
    image, mismatch = drawn(300, lists=2)
    names = tuple(ListName(f"d{i}", (IMAGE,)) for i in range(5))
    five = members(*[image] * 5, mismatch, names=(*names, NAMES[2]))
    one = members(image, mismatch, names=(NAMES[0], NAMES[2]))
    for name in ("any-view", "rank-product", "pareto"):
        np.testing.assert_allclose(rule(name).score(five), rule(name).score(one), rtol=1e-9)


@pytest.mark.parametrize("looks", [1, 7, 50])
def test_three_times_as_many_looks_of_a_quota_hold_the_first_of_each_of_three_lists(looks):
    values = drawn(400)
    seen = set(order(rule("quota").score(members(*values)))[: 3 * looks])
    for column in values:
        assert set(order(column)[:looks]) <= seen


def test_a_quota_begins_with_the_first_of_each_list_in_turn():
    values = np.array([[1, 2, 3, 4, 5, 6], [5, 6, 1, 2, 3, 4], [1, 3, 4, 6, 5, 2]]) / 6
    # Firsts: 5, 1, 3; seconds: 4 (of the first list and of the third), 0.
    assert order(rule("quota").score(members(*values)))[:5] == [5, 1, 3, 4, 0]


def test_the_fused_list_may_have_a_turn_of_its_own():
    values = drawn(400)
    fused = order(rule("any-view").score(members(*values)))
    seen = set(order(rule("quota", fused=True).score(members(*values)))[: 4 * 20])
    assert set(fused[:20]) <= seen
    assert all(set(order(column)[:20]) <= seen for column in values)


def fronts_by_definition(values):
    """Whoever nobody left dominates is taken off, again and again."""
    front, left = np.zeros(values.shape[1], dtype=int), list(range(values.shape[1]))
    while left:
        here = values[:, left]
        above = (here[:, :, None] >= here[:, None]).all(0) & (here[:, :, None] > here[:, None]).any(
            0
        )
        free = ~above.any(axis=0)
        front[left] += 1
        left = [i for i, is_free in zip(left, free, strict=True) if not is_free]
    return front


@pytest.mark.parametrize("coordinates", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("n", [1, 40, 300])
def test_fronts_are_those_of_the_definition(coordinates, n):
    rng = np.random.default_rng(coordinates * n)
    for values in (rng.random((coordinates, n)), rng.integers(0, 6, (coordinates, n)) / 6):
        assert (front_numbers(values) == fronts_by_definition(values)).all()


def test_no_object_of_a_later_front_stands_before_one_of_an_earlier():
    x = members(*drawn(500))
    scores, told = rule("pareto").score_with_details(x)
    assert (np.diff(told["front"][order(scores)]) >= 0).all()
    assert (told["front"] == fronts_by_definition(drawn(500))).all()


@pytest.mark.parametrize("top", [0.01, 0.05, 0.1])
def test_consensus_counts_the_lists_that_have_an_object_in_their_top(top):
    n, values = 300, drawn(300)
    inside = (rankdata(-values, axis=1) <= top * n).sum(axis=0)
    x, counted = members(*values), rule("consensus", top=top, at_least=2)
    assert (counted.details(x)["agreeing"] == inside).all()
    scores = counted.score(x)
    expected = np.where(inside >= 2, inside, 0) + values.mean(axis=0) / 2
    np.testing.assert_allclose(scores, expected)


def test_the_top_of_a_list_has_one_object_at_least():
    x = members(*drawn(20))
    assert rule("consensus").details(x)["agreeing"].sum() == 3


@pytest.mark.parametrize("name", RULES)
def test_the_order_of_the_rows_and_of_equal_lists_plays_no_part(name):
    values, shuffled = drawn(200), np.random.default_rng(1).permutation(200)
    scores = rule(name).score(members(*values))
    assert scores.dtype == np.float64
    np.testing.assert_array_equal(rule(name).score(members(*values[:, shuffled])), scores[shuffled])


@pytest.mark.parametrize("name", [n for n, record in RECORDS.items() if record.by_row])
def test_rules_that_say_so_score_a_row_by_itself_and_never_fall_with_a_percentile(name):
    values = drawn(200)
    x, scores = members(*values), rule(name).score(members(*values))
    some = np.arange(20, 40)
    np.testing.assert_array_equal(rule(name).score(x.take(some)), scores[some])
    for j in range(3):
        raised = values.copy()
        raised[j] = np.minimum(raised[j] + 0.5 / 200, 1)
        higher = rule(name).score(members(*raised))
        assert (higher >= scores - 1e-12 * np.abs(scores)).all()


@pytest.mark.parametrize("name", RULES)
def test_what_leads_all_lists_leads_the_fusion(name):
    values = drawn(100)
    values[:, values.argmax(axis=1)] = values[:, [0, 0, 0]]
    values[:, 0] = 1
    assert rule(name).score(members(*values)).argmax() == 0


def found_in_looks(shift, seed, looks=100):
    """Of 60 objects off by `shift` among 5,000, those in the looks of the best list and fused."""
    rng = np.random.default_rng(seed)
    scores = 0.3**0.5 * rng.normal(size=5060) + 0.7**0.5 * rng.normal(size=(3, 5060))
    scores[:, 5000:] += np.array(shift)[:, None]
    values = rankdata(scores, axis=1) / 5060
    fused = rule("any-view").score(members(*values))
    best, any_view = (
        [sum(i >= 5000 for i in order(row)[:looks]) for row in rows] for rows in (values, [fused])
    )
    return max(best), *any_view


@pytest.mark.parametrize("shift", [(2, 0, 0), (3, 0, 0), (0, 0, 4), (3, -1, 0), (0, 3, 2)])
def test_any_view_finds_half_of_what_the_best_list_does_in_as_many_looks(shift):
    found = np.mean([found_in_looks(shift, seed) for seed in range(10)], axis=0)
    assert found[0] >= 0.2 * 60
    assert found[1] >= 0.5 * found[0]
