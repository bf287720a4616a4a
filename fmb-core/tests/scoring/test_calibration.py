"""p and q against a reference of ordinary objects."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from fmb.contract.vectors import Vectors
from fmb.crossfit.fitted import score_each
from fmb.crossfit.scored import cross_fit, in_sample
from fmb.messages.errors import ConfigError, DataError, ScoreError, ShapeError
from fmb.scoring.calibration import (
    NO_REFERENCE,
    benjamini_hochberg,
    contamination_floor,
    discovery_floor,
    p_values,
    p_values_by_fold,
    q_values,
    reference_lines,
)

examples = settings(max_examples=50, deadline=None)

scores = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=30)
probabilities = st.lists(st.floats(1e-9, 1), min_size=1, max_size=40)


class Gaussian:
    """Negative log-likelihood of one multivariate normal distribution, up to a constant."""

    def fit(self, x):
        self.mean = x.values.mean(axis=0, dtype=float)
        covariance = np.cov(x.values, rowvar=False)
        self.precision = np.linalg.inv(covariance)
        self.half_log_det = np.linalg.slogdet(covariance)[1] / 2

    def score(self, x):
        z = x.values - self.mean
        return np.einsum("ij,ij->i", z @ self.precision, z) / 2 + self.half_log_det


@examples
@given(scores, scores)
def test_a_p_value_counts_the_reference_that_scores_at_least_as_high(ranked, reference):
    expected = [(1 + sum(r >= s for r in reference)) / (1 + len(reference)) for s in ranked]
    assert p_values(ranked, reference).tolist() == expected


def test_each_fold_meets_the_reference_of_its_own_fit():
    reference = np.array([[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]])
    got = p_values_by_fold([1.5, 1.5, 11.5, 99.0], [0, 1, 1, 0], reference)
    assert got.tolist() == [0.5, 1.0, 0.5, 0.25]
    assert p_values_by_fold([1.5], [-1], reference[:1]).tolist() == [0.5]


@pytest.mark.parametrize("fold", [[0, 2], [-1, 0], [0]])
def test_folds_without_a_reference_of_their_own_are_refused(fold):
    with pytest.raises(ShapeError, match="score the reference with each of the fits"):
        p_values_by_fold([1.0, 2.0], fold, np.ones((2, 5)))


@examples
@given(probabilities)
def test_q_values_are_those_of_scipy(p):
    assert np.allclose(benjamini_hochberg(p), false_discovery_control(p), rtol=1e-12)


@examples
@given(probabilities)
def test_q_never_falls_as_p_grows_and_is_never_below_it(p):
    q = benjamini_hochberg(p)
    assert (np.diff(q[np.argsort(p)]) >= 0).all()
    assert (q >= np.array(p) * (1 - 1e-15)).all()
    assert (q <= 1).all()


def test_q_of_four_by_hand():
    # steps 4p/i of the sorted 0.01, 0.03, 0.04, 0.8 are 0.04, 0.06, 0.0533, 0.8
    got = benjamini_hochberg([0.04, 0.01, 0.8, 0.03])
    assert got == pytest.approx([0.16 / 3, 0.04, 0.8, 0.16 / 3])


@examples
@given(probabilities)
def test_without_repeats_the_q_of_a_source_is_that_of_its_object(p):
    assert np.array_equal(q_values(p, np.arange(len(p))), benjamini_hochberg(p))


def test_a_source_enters_with_its_smallest_p_times_its_repeats():
    # Sources: a = 3 x 0.01, b = 0.04, c = min(1, 2 x 0.7); steps 3p/i are 0.09, 0.06, 1.
    got = q_values([0.5, 0.01, 0.04, 0.3, 0.9, 0.7], ["a", "a", "b", "a", "c", "c"])
    assert got == pytest.approx([0.06, 0.06, 0.06, 0.06, 1, 1])


def test_repeats_raise_no_false_alarms():
    rng = np.random.default_rng(0)
    sources = np.arange(300) // 3
    alarms = [(q_values(1 - rng.random(300), sources) <= 0.1).any() for _ in range(1000)]
    # All are ordinary: an alarm in at most 0.1 of the surveys; taken as it is, the smallest of
    # three would alarm in 0.27 of them. Within 3 standard errors.
    assert np.mean(alarms) <= 0.1 + 3 * (0.09 / 1000) ** 0.5


def test_groups_of_another_table_are_refused():
    with pytest.raises(ShapeError, match="2 p-values and 1 groups"):
        q_values([0.1, 0.2], [1])


@pytest.mark.parametrize("p", [[0.0, 0.5], [np.nan], [1.1]])
def test_q_of_what_is_no_probability_is_refused(p):
    with pytest.raises(DataError, match=r"\(0, 1\]"):
        benjamini_hochberg(p)
    with pytest.raises(DataError, match=r"\(0, 1\]"):
        q_values(p, np.arange(len(p)))


@examples
@given(st.integers(1, 400), st.integers(1, 400), st.sampled_from([0.01, 0.05, 0.1, 0.25]))
def test_fewer_discoveries_than_the_floor_are_impossible_and_the_floor_is_not(n, m, level):
    floor = discovery_floor(n, m, level)
    tolerance = 1 + 1e-9  # a quotient at the level itself
    for k in (floor - 1, floor):
        if 0 < k <= n:
            best = np.concatenate([np.full(k, 1 / (m + 1)), np.ones(n - k)])
            assert (benjamini_hochberg(best)[0] <= level * tolerance) == (k >= floor)


def test_the_floor_of_a_round_survey():
    assert discovery_floor(2000, 1999, 0.1) == 10
    assert discovery_floor(2000, 1998, 0.1) == 11
    assert discovery_floor(10, 10**6, 0.1) == 1


def test_contamination_sets_a_floor_to_q():
    assert contamination_floor(0.01, 0.03) == pytest.approx(0.25)
    assert contamination_floor(0.0, 0.03) == 0
    with pytest.raises(ConfigError, match="rate of anomalies"):
        contamination_floor(0.01, 0.0)


def test_the_limits_are_said_in_numbers():
    lines = reference_lines(2000, 1999)
    assert "reference: 1,999 objects, so no p_value is below 0.0005" in lines[0]
    assert "q <= 0.1 needs at least 10 discoveries among 2,000 objects" in lines[0]
    assert "cannot be reached with fewer than 9 of them" in reference_lines(2000, 8)[0]
    assert "never" in lines[-1]
    assert "--reference" in NO_REFERENCE


def test_an_empty_or_broken_reference_is_refused():
    with pytest.raises(DataError, match="the reference holds no objects"):
        p_values([1.0], [])
    with pytest.raises(ScoreError, match="reference: rows: 1 of 2 scores"):
        p_values([1.0], [1.0, np.nan])
    with pytest.raises(ScoreError, match="ranked objects: rows: 1 of 1 scores"):
        p_values([np.nan], [1.0])


def simulate(*, contamination, cross, surveys=200, n=1000, m=4000, d=8, level=0.1):
    """False-discovery proportion and power of each survey, two arrays (surveys,).

    30 of n objects lie 12 standard deviations off in a direction of their own; the reference has
    `contamination` of the same kind.
    """
    proportion, power = np.empty(surveys), np.empty(surveys)
    for i in range(surveys):
        rng = np.random.default_rng(i)

        def draw(size, strange, rng=rng):
            values = rng.normal(size=(size, d))
            way = rng.normal(size=(strange, d))
            values[:strange] += 12 * way / np.linalg.norm(way, axis=1, keepdims=True)
            return Vectors(np.arange(size), values.astype("f4"))

        survey, reference = draw(n, 30), draw(m, round(contamination * m))
        if cross:
            got = cross_fit(lambda fold: Gaussian(), survey, survey.ids, name="gaussian")
        else:
            got = in_sample(lambda fold: Gaussian(), survey, name="gaussian")
        by_fit = score_each(got.detectors, reference)
        found = benjamini_hochberg(p_values_by_fold(got.scores, got.fold, by_fit)) <= level
        proportion[i] = found[30:].sum() / max(1, found.sum())
        power[i] = found[:30].mean()
    return proportion, power


def standard_error(values):
    return values.std(ddof=1) / len(values) ** 0.5


@pytest.mark.parametrize("cross", [True, False], ids=["cross-fit", "in-sample"])
def test_a_clean_reference_keeps_the_false_discovery_rate_and_finds_what_is_there(
    cross, record_property
):
    proportion, power = simulate(contamination=0.0, cross=cross)
    record_property("false_discovery_proportion", f"{proportion.mean():.4f}")
    record_property("power", f"{power.mean():.4f}")
    said = (
        f"FDP {proportion.mean():.4f} +- {standard_error(proportion):.4f}, power {power.mean():.3f}"
    )
    assert proportion.mean() <= 0.1 + 2 * standard_error(proportion), said
    assert power.mean() >= 0.8, said


def test_a_contaminated_reference_loses_power_and_stays_valid(record_property):
    proportion, power = simulate(contamination=0.01, cross=True)
    loose, power_loose = simulate(contamination=0.01, cross=True, level=0.5)
    _, clean = simulate(contamination=0.0, cross=True, surveys=50)
    record_property("power_lost", f"{clean.mean() - power.mean():.4f}")
    said = (
        f"FDP {proportion.mean():.4f} and power {power.mean():.3f} at 0.1,"
        f" {loose.mean():.4f} and {power_loose.mean():.3f} at 0.5; clean power {clean.mean():.3f}"
    )
    assert proportion.mean() <= 0.1 + 2 * standard_error(proportion), said
    assert loose.mean() <= 0.5 + 2 * standard_error(loose), said
    # c / (c + r) = 0.25: at 0.1 nearly all is lost, at twice the floor it is back.
    assert power.mean() < 0.1 < 0.9 < power_loose.mean() <= clean.mean(), said


def test_ordinary_objects_have_uniform_p_values_only_when_no_fit_has_seen_them():
    """60 objects in 20 dimensions: an in-sample fit has bent itself around them."""
    cross, seen = [], []
    for i in range(100):
        rng = np.random.default_rng(i)
        survey, reference = (Vectors(np.arange(60), rng.normal(size=(60, 20))) for _ in range(2))
        for got, p in (
            (cross_fit(lambda f: Gaussian(), survey, survey.ids, name="g"), cross),
            (in_sample(lambda f: Gaussian(), survey, name="g"), seen),
        ):
            by_fit = score_each(got.detectors, reference)
            p.append(np.mean(p_values_by_fold(got.scores, got.fold, by_fit) <= 0.1))
    # 6 of 61 values of p are <= 0.1.
    assert np.mean(cross) == pytest.approx(6 / 61, abs=3 * standard_error(np.array(cross)))
    assert np.mean(seen) < 0.01
