"""The flow: what it finds, when it steps back, and that it is the same every time."""

import logging

import numpy as np
import pytest
import torch
from curved_cloud import curved, fitted, vectors
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from fmb_detectors import correction
from fmb_detectors.config import FlowConfig, GaussianConfig
from fmb_detectors.flow import FlowDetector
from fmb_detectors.gaussian import GaussianDetector
from fmb_detectors.plugin import fmb_register_detectors

RECORDS = {record.name: record for record in fmb_register_detectors()}


def gaussian_scores(values):
    detector = GaussianDetector(GaussianConfig(), seed=0)
    detector.fit(vectors(values))
    return detector.score(vectors(values))


def planted(n, m):
    """Curved objects, the first m of which are drawn from a Gaussian with the others' moments."""
    values = curved(n)
    rng = np.random.default_rng(1)
    mean, covariance = values[m:].mean(axis=0), np.cov(values[m:].T)
    values[:m] = rng.multivariate_normal(mean, covariance, size=m)
    return values, np.arange(n) < m


@pytest.mark.parametrize(("kind", "found"), [("autoregressive", 0.8), ("coupling", 0.75)])
def test_anomalies_that_match_all_second_moments_are_found(kind, found):
    values, label = planted(3000, 60)
    detector = fitted(values, kind=kind)
    assert not detector.report()["fallback"]
    assert roc_auc_score(label, gaussian_scores(values)) < 0.6
    assert roc_auc_score(label, detector.score(vectors(values))) > found


def test_held_out_objects_are_likelier_than_under_the_gaussian():
    fit, new = curved(2000), curved(1000, seed=7)
    table = fitted(fit).details(vectors(new))
    assert (
        table["flow_gain"].mean() > 2.0
    )  # nats an object; six parabolas of this width allow 6 log 10 = 14


def test_the_score_is_that_of_the_gaussian_or_the_flow_whichever_is_higher():
    values, new = curved(600), curved(600, seed=5)
    detector = fitted(values)
    table = detector.details(vectors(new))
    assert list(table) == list(RECORDS["flow"].details)
    alone = GaussianDetector(GaussianConfig(), seed=0)
    alone.fit(vectors(values))
    gaussian = alone.score(vectors(new))
    np.testing.assert_allclose(table["gaussian"], gaussian, rtol=1e-12)
    flow = fitted(values, score="likelihood").score(vectors(new))
    np.testing.assert_allclose(flow, gaussian - table["flow_gain"], rtol=0, atol=1e-9)
    assert 0.05 < (flow > gaussian).mean() < 0.95
    scores = detector.score(vectors(new))
    np.testing.assert_allclose(scores, np.maximum(gaussian, flow), rtol=0, atol=1e-9)


def test_the_flow_never_rescues_what_the_gaussian_finds_strange():
    """Far along a parabola an object is likely for the flow, and strange for the Gaussian."""
    values = curved(2000)
    along = curved(1, seed=3)
    t = np.zeros(6)
    t[0] = 4.5
    along[0, :12] = np.concatenate([t, (t**2 - 1) / np.sqrt(2)]) * 3 + 50
    both = vectors(np.vstack([values, along]))
    place = {}
    for score in ("likelihood", "stricter"):
        scores = fitted(values, score=score).score(both)
        place[score] = (scores > scores[-1]).sum()
    assert place["stricter"] == 0 < place["likelihood"]


def test_several_seeds_agree_on_what_all_of_them_find_strange():
    values, label = planted(3000, 60)
    detector = fitted(values, seeds=3)
    x = vectors(values)
    scores, stability = detector.score(x), detector.details(x)["stability"]
    assert roc_auc_score(label, scores) > 0.8
    assert (stability >= 0).all()
    assert stability.max() > 0.02
    assert stability[np.argsort(-scores)[:30]].mean() < stability.mean()
    assert 0.3 < detector.report()["top_kept"] < 1


def test_a_mean_of_seeds_is_on_the_scale_of_one():
    values, new = curved(800), vectors(curved(800, seed=4))
    one, three = (fitted(values, seeds=n).score(new) for n in (1, 3))
    quartiles = np.quantile([one, three], [0.25, 0.5, 0.75], axis=1)
    assert np.abs(quartiles[:, 1] - quartiles[:, 0]).max() < 0.1 * one.std()


def test_where_all_seeds_fall_back_the_scores_are_the_gaussians():
    values = np.random.default_rng(0).normal(size=(60, 5))
    detector = fitted(values, seeds=3)
    np.testing.assert_allclose(
        detector.score(vectors(values)), gaussian_scores(values), rtol=0, atol=1e-9
    )
    report = detector.report()
    assert report["fallback"]
    assert report["top_kept"] == 1
    assert report["note"] == "3 of 3 seeds fell back to the Gaussian"


@pytest.mark.parametrize("options", [{"kind": "coupling"}, {"seeds": 3}], ids=str)
def test_each_kind_and_number_of_seeds_is_saved_whole(tmp_path, options):
    detector = fitted(curved(400), hidden=16, **options)
    detector.save(tmp_path)
    new = vectors(curved(50, seed=1) * 2)
    loaded = FlowDetector.load(tmp_path)
    for a, b in zip(loaded.details(new).values(), detector.details(new).values(), strict=True):
        assert np.array_equal(a, b)
    assert np.array_equal(loaded.score(new), detector.score(new))
    assert loaded.report() == detector.report()


def test_the_density_integrates_to_one():
    rng = np.random.default_rng(0)
    t = rng.normal(size=1500)
    values = np.stack([t, t**2 + 0.3 * rng.normal(size=1500)], axis=1) * 5 + 100
    detector = fitted(values, components=2, hidden=16, epochs=30, score="likelihood")
    assert not detector.report()["fallback"]
    axes = [np.linspace(v.mean() - 9 * v.std(), v.mean() + 9 * v.std(), 200) for v in values.T]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    cell = (axes[0][1] - axes[0][0]) * (axes[1][1] - axes[1][0])
    total = np.exp(-detector.score(vectors(grid))).sum() * cell
    assert total == pytest.approx(1, abs=0.01)  # a grid of 200 x 200


@pytest.mark.parametrize("n", [20, 1000])
def test_gaussian_data_give_exactly_the_gaussian_scores_and_say_so(n, caplog):
    values = np.random.default_rng(0).normal(size=(n, 10)) @ np.diag(np.arange(10, 20))
    with caplog.at_level(logging.INFO):
        detector = fitted(values)
    assert np.array_equal(detector.score(vectors(values)), gaussian_scores(values))
    assert (detector.details(vectors(values))["flow_gain"] == 0).all()
    report = detector.report()
    assert report["fallback"]
    assert report["note"] == "fell back to the Gaussian"
    assert report["reason"] in caplog.text
    assert "the scores are the Gaussian's" in caplog.text


def test_a_used_flow_says_nothing(caplog):
    with caplog.at_level(logging.INFO):
        detector = fitted(curved(800))
    assert detector.report()["reason"] == detector.report()["note"] == ""
    assert not caplog.records


@settings(max_examples=6, deadline=None)
@given(n=st.integers(3, 130), d=st.integers(1, 40), seed=st.integers(0, 1000))
def test_any_small_survey_gets_finite_varied_scores(n, d, seed):
    values = np.random.default_rng(seed).standard_t(3, size=(n, d))
    scores = fitted(values, seed=seed, epochs=2).score(vectors(values))
    assert np.isfinite(scores).all()
    assert len(np.unique(scores)) > 1


def test_scores_are_taken_in_one_thread_whose_number_comes_back(monkeypatch):
    values, seen = curved(600), []
    detector = fitted(values)
    density = correction.standard_normal_log_density
    monkeypatch.setattr(
        correction,
        "standard_normal_log_density",
        lambda z: seen.append(torch.get_num_threads()) or density(z),
    )
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        detector.score(vectors(values))
        assert (set(seen), torch.get_num_threads()) == ({1}, 2)
    finally:
        torch.set_num_threads(before)


def test_nothing_scored_is_clipped():
    values = curved(800)
    detector = fitted(values, clip=3.0)
    assert not detector.report()["fallback"]
    far = values.mean(axis=0) + 10.0 ** np.arange(2, 7)[:, None] * values.std(axis=0)
    table = detector.details(vectors(far))
    for column in ("gaussian", "flow_gain"):  # both quadratic far out
        growth = table[column][1:] / table[column][:-1]
        assert growth == pytest.approx(100, rel=0.2)


def test_a_planted_outlier_hardly_moves_the_fit_that_clips():
    values = curved(800)
    values[0] += 1e4
    detector = fitted(values)
    assert np.argmax(detector.score(vectors(values))) == 0
    assert np.isfinite(detector.report()["validation_gain"])


def test_a_saved_flow_scores_the_same_to_the_last_bit(tmp_path):
    values = curved(600)
    detector = fitted(values, hidden=16)
    assert not detector.report()["fallback"]
    before = detector.score(vectors(values))
    detector.save(tmp_path)
    loaded = FlowDetector.load(tmp_path)
    assert np.array_equal(loaded.score(vectors(values)), before)
    assert np.array_equal(detector.score(vectors(values)), before)
    assert loaded.report() == detector.report()
    assert loaded.config == detector.config


def test_the_seed_and_nothing_else_draws():
    values = curved(400)
    threads = torch.get_num_threads()
    same, again, other = (fitted(values, seed=s).score(vectors(values)) for s in (1, 1, 2))
    assert np.array_equal(same, again)
    assert not np.array_equal(same, other)
    assert torch.get_num_threads() == threads


def test_flows_that_are_fitted_together_are_those_of_each_alone():
    """With 20, 20, 3 and 19 components; the third has too few objects for a flow."""
    sizes = (400, 413, 60, 398)
    wide = np.where(np.arange(50) < 12, 3.0, 1.0)  # the parabolas come first
    samples = [vectors(wide * curved(n, seed=i, d=50)) for i, n in enumerate(sizes)]
    together = [FlowDetector(FlowConfig(), seed=i) for i in range(len(sizes))]
    FlowDetector.fit_together(together, iter(samples))
    new = vectors(wide * curved(500, seed=9, d=50))
    for i, (detector, x) in enumerate(zip(together, samples, strict=True)):
        alone = FlowDetector(FlowConfig(), seed=i)
        alone.fit(x)
        told, expected = detector.report(), alone.report()
        assert told["fallback"] == expected["fallback"] == (len(x) < 100)
        for key in ("components", "epochs", "best_epoch", "n"):
            assert told[key] == expected[key]
        a, b = detector.score(new), alone.score(new)
        # Products of a stack may be added up in another order, over some hundred steps.
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-3 * b.std())
        assert set(np.argsort(-a)[:20]) == set(np.argsort(-b)[:20])
