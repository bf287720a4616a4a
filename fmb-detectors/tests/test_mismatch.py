"""The list of pairs that do not fit together, against formulas, permutations and brute force."""

import numpy as np
import pytest
from related_views import DETAILS, fitted, new, pairs, related
from scipy.stats import multivariate_normal

from fmb import DataError
from fmb.crossfit import cross_fit, in_sample


def auroc(strange, ordinary):
    return float(np.mean(strange[:, None] > ordinary[None, :]))


def test_the_score_of_normal_pairs_is_minus_their_pointwise_mutual_information():
    x, test = pairs(*related(40_000)), pairs(*related(500, seed=1))
    fixed = np.random.default_rng(0)
    mixing = [fixed.normal(size=(3, width)) for width in (5, 4)]
    both = np.concatenate(mixing, axis=1)
    covariance = both.T @ both + 0.25 * np.eye(9)
    joined = np.concatenate([test.a, test.b], axis=1)
    expected = (
        multivariate_normal.logpdf(test.a, cov=covariance[:5, :5])
        + multivariate_normal.logpdf(test.b, cov=covariance[5:, 5:])
        - multivariate_normal.logpdf(joined, cov=covariance)
    )
    got = fitted(x, variance=1.0).score(test)
    # 40,000 pairs give a correlation to 1 / 200; the scores have a spread of about 1.5.
    assert np.abs(got - expected).max() < 0.15
    assert np.corrcoef(got, expected)[0, 1] > 0.999


def test_pairs_with_the_partner_of_another_object_get_the_highest_scores():
    a, b = related(3000)
    b[:60] = np.roll(b[:60], 1, axis=0)
    x = pairs(a, b)
    scores = cross_fit(lambda i: new(), x, x.ids, name="m").scores
    assert auroc(scores[:60], scores[60:]) > 0.9


def test_what_is_rare_in_both_views_alike_fits_together():
    x, rare = pairs(*related(3000)), related(200, seed=1, noise=0)
    noise = np.random.default_rng(2)
    a, b = (4 * view + 0.5 * noise.normal(size=view.shape) for view in rare)
    detector = fitted(x)
    assert np.median(detector.score(pairs(a, b))) < np.median(detector.score(x))
    assert (detector.details(pairs(a, b))["strange_views"] == 3).mean() > 0.5


def test_views_may_have_other_units_in_every_column_and_any_offset():
    a, b = related(2000)
    units = np.exp(np.random.default_rng(5).normal(size=a.shape[1]) * 3)
    plain, other = pairs(a, b), pairs(a * units + 7 * units, b * 1e4)
    first, second = (fitted(x).score(x) for x in (plain, other))
    # Units cost float32 digits: 7 standard deviations of offset, 1e-6 of each number.
    np.testing.assert_allclose(first, second, atol=1e-3)


def test_directions_without_a_partner_switch_themselves_off():
    def with_junk(views, seed):
        random, n = np.random.default_rng(seed), len(views[0])
        return pairs(*(np.column_stack([view, random.normal(size=(n, 30))]) for view in views))

    x, test = related(4000), related(1000, seed=1)
    detector, clean = fitted(with_junk(x, 7), variance=1.0), fitted(pairs(*x), variance=1.0)
    # Of 4,000 objects 30 and 30 unrelated numbers show correlations up to 0.17 in-sample.
    found = detector.report()["correlations"]
    assert len(found) < 4 or max(found[3:]) < 0.05
    scores = detector.score(with_junk(test, 8)), clean.score(pairs(*test))
    assert np.corrcoef(*scores)[0, 1] > 0.9


def test_views_that_share_nothing_are_ranked_and_called_noise():
    random = np.random.default_rng(0)
    x = pairs(random.normal(size=(400, 6)), random.normal(size=(400, 6)))
    detector = fitted(x)
    if detector.report()["effective"] == 0:
        assert "the order of this list is noise" in detector.report()["note"]
    assert np.ptp(detector.score(x)) > 0
    assert np.ptp(detector.score(x)) < 1  # nats: nothing is claimed


def test_views_of_which_one_follows_from_the_other_are_called_so():
    a, _ = related(400)
    for b in (a, 3 * a[:, ::-1] + 7):
        assert "one view follows from the other" in fitted(pairs(a, b)).report()["note"]
    nearly = a + 0.1 * np.random.default_rng(8).normal(size=a.shape)
    assert "follows" not in fitted(pairs(a, nearly)).report()["note"]


@pytest.mark.parametrize("blocks", [1, 7])
def test_the_fit_does_not_depend_on_order_or_blocks(blocks):
    x = pairs(*related(3000))
    order = np.random.default_rng(1).permutation(3000)
    one, other = fitted(x), new()
    for rows in np.array_split(order, blocks):
        other.add(x.take(rows))
    first, second = one.score_with_details(x), other.score_with_details(x)
    np.testing.assert_allclose(first[0], second[0], atol=1e-9)
    for name in DETAILS:
        np.testing.assert_allclose(first[1][name], second[1][name], atol=0.02)


def test_parts_that_are_merged_give_the_correlations_of_all():
    x, test = pairs(*related(4000)), pairs(*related(500, seed=1))
    parts = [new() for _ in range(5)]
    for i, part in enumerate(parts):
        part.add(x.take(np.arange(4000)[i::5]))
    whole = new()
    for part in parts:
        whole.merge(part)
    # Inner folds differ, five parts for two halves, and with them rho by about 1 / 60.
    assert np.corrcoef(whole.score(test), fitted(x).score(test))[0, 1] > 0.999
    assert whole.report()["n"] == 4000


def test_a_pair_is_not_explained_by_a_fit_that_has_seen_it():
    """A row that only a fit with this row in it could explain."""
    a, b = related(300, d=(3, 3), shared=2)
    a[7], b[7] = [60, -60, 60], [-60, 60, 60]
    x = pairs(a, b)
    crossed = cross_fit(lambda i: new(), x, x.ids, name="m").scores
    assert crossed.argmax() == 7
    assert crossed[7] > 10 * np.abs(in_sample(lambda i: new(), x, name="m").scores[7])


def test_two_correlated_repeats_of_a_source_confirm_nothing():
    """Repeats share a fold, so that what only repeats have in common is not held out."""
    random = np.random.default_rng(3)
    a, b = random.normal(size=(100, 8)), random.normal(size=(100, 8))
    groups = np.arange(1000) % 100
    x = pairs(a[groups] + 0.01 * random.normal(size=(1000, 8)), b[groups])
    fits = cross_fit(lambda i: new(), x, groups, name="m").detectors
    assert np.mean([fit.report()["correlations"][0] for fit in fits]) < 0.25
    alone = in_sample(lambda i: new(), x, name="m").detectors[0]
    assert alone.report()["correlations"][0] > 0.4  # halves by id know no sources


def cosines(x, fit):
    a, b = x.a - fit.a.mean(axis=0), x.b - fit.b.mean(axis=0)
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@pytest.mark.parametrize(
    ("options", "aligned"), [({}, True), ({"kind": "cosine"}, True), ({"kind": "cosine"}, False)]
)
def test_views_of_one_space_are_compared_by_their_centred_cosine(options, aligned):
    hidden = np.random.default_rng(0).normal(size=(500, 6))
    a, b = hidden + 5, hidden + np.random.default_rng(1).normal(size=(500, 6)) - 3
    x, test = pairs(a[:400], b[:400], aligned=aligned), pairs(a[400:], b[400:], aligned=aligned)
    detector = fitted(x, **options)
    np.testing.assert_allclose(detector.score(test), 1 - cosines(test, x), atol=1e-5)
    against = pairs(a[400:], 2 * b[:400].mean(axis=0) - b[400:], aligned=aligned)
    np.testing.assert_allclose(
        detector.score(against), 1 + cosines(test, x), atol=1e-4
    )  # opposite is strangest: no absolute value
    assert ("never put into one space" in detector.report().get("note", "")) == (not aligned)


def test_aligned_views_can_be_compared_by_the_ratio():
    a, b = related(500, d=(4, 4))
    x = pairs(a, b, aligned=True)
    plain = fitted(pairs(a, b)).score(x)
    assert np.array_equal(fitted(x, kind="ratio").score(x), plain)


def test_a_vector_without_a_direction_is_named():
    a, b = (np.random.default_rng(i).integers(-9, 9, size=(40, 3)) for i in range(2))
    a, b = (np.concatenate([v, -v]) for v in (a, b))  # the mean is exactly 0
    a[5], a[45] = 0, 0
    x = pairs(a, b, aligned=True, start=100)
    with pytest.raises(DataError, match=r"2 objects \(105, 145\) have a vector like the mean"):
        fitted(x).score(x)


def test_vectors_of_unequal_width_have_a_ratio_and_no_cosine():
    x = pairs(*related(200, d=(5, 3)), aligned=True)
    with pytest.raises(DataError, match="5 and 3 numbers have no cosine; say kind = 'ratio'"):
        fitted(x).score(x)
    assert np.isfinite(fitted(x, kind="ratio").score(x)).all()


@pytest.mark.parametrize("side", ["image", "spectrum"])
def test_a_view_in_which_all_are_alike_is_named(side):
    a, b = related(60)
    (a if side == "image" else b)[:] = 0.1
    with pytest.raises(DataError, match=f"all 60 {side} vectors are alike"):
        fitted(pairs(a, b)).score(pairs(a, b))


@pytest.mark.parametrize("n", [3, 7, 28])
def test_a_handful_of_pairs_is_ranked_with_a_word_of_what_that_means(n):
    x = pairs(*related(n, d=(40, 30)))
    detector = fitted(x)
    scores, told = detector.score_with_details(x)
    assert np.isfinite(scores).all()
    assert all(np.isfinite(values).all() for values in told.values())
    assert "few correlations or none can be told from chance" in detector.report()["note"]


def test_about_one_in_fifty_new_objects_is_strange_in_a_view_and_it_says_in_which():
    x, test = pairs(*related(4000)), pairs(*related(4000, seed=1))
    detector = fitted(x)
    views = detector.details(test)["strange_views"]
    for bit in (1, 2):
        # Standard error of a share of 0.02 of 4,000: 0.0022, of the bound's about as much.
        assert abs(np.mean((views.astype(int) & bit) > 0) - 0.02) < 0.012
    a, b = related(3, seed=2)
    a[0], b[1], a[2], b[2] = 50 * a[0], 50 * b[1], 50 * a[2], 50 * b[2]
    assert detector.details(pairs(a, b))["strange_views"].tolist() == [1, 2, 3]


def test_what_lies_off_the_kept_components_counts_as_strange_in_its_view():
    random = np.random.default_rng(0)
    flat = random.normal(size=(2000, 2)) @ random.normal(size=(2, 10))
    a = flat + 0.001 * random.normal(size=(2000, 10))
    x = pairs(a, related(2000)[1])
    detector = fitted(x, variance=0.9)
    off = np.linalg.svd(flat, full_matrices=True)[2][5]
    test = pairs(a[:1] + 0.1 * off, x.b[:1])
    assert detector.details(test)["strange_views"][0] == 1
