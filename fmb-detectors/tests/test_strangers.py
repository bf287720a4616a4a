"""The pairs that a mismatch is held against: alike in the catalogue, and no object itself."""

import numpy as np
from related_views import DETAILS, fitted, pairs

from fmb_detectors.mismatch import MismatchDetector


def in_catalogue(n, seed):
    """Views that share one number, which the catalogue has too, and another, which it has not."""
    random = np.random.default_rng(seed)
    hidden = random.normal(size=(n, 2))
    a, b = (hidden + 0.3 * random.normal(size=(n, 2)) for _ in range(2))
    return a, b, {"magnitude": 20 + hidden[:, 0]}


def test_strangers_are_the_most_alike_of_the_fitted_pairs():
    a, b, columns = in_catalogue(600, 0)
    x = pairs(a, b, columns)  # all are kept: fewer than 512 in a half
    detector = fitted(x, variance=1.0)
    a, b, columns = in_catalogue(50, 1)
    test = pairs(a, b, columns, start=1000)
    scores, told = detector.score_with_details(test)
    magnitude = x.columns["magnitude"]
    for i in range(50):
        place = np.mean(magnitude < columns["magnitude"][i])
        ranks = magnitude.argsort().argsort() / len(magnitude)
        alike = np.argsort(np.abs(ranks + 0.5 / 600 - place))[:100]
        tried = pairs(np.repeat(test.a[i : i + 1], 100, axis=0), x.b[alike])
        fits = np.count_nonzero(detector.score(tried) <= scores[i])
        # Where two are equally alike, either may be the hundredth.
        assert abs(told["partner_rank"][i] - (1 + fits)) <= 1
    np.testing.assert_allclose(told["stranger_share"], told["partner_rank"] / 101)
    assert told["stranger_share"].min() >= 1 / 101


def test_strangers_of_the_same_kind_are_harder_to_tell_from_the_partner():
    a, b, columns = in_catalogue(4000, 0)
    alike = fitted(pairs(a, b, columns)).details(pairs(a, b, columns, start=10_000))
    anyone = fitted(pairs(a, b)).details(pairs(a, b, start=10_000))
    assert alike["stranger_share"].mean() > 1.5 * anyone["stranger_share"].mean()
    assert "strangers are alike in nothing" in fitted(pairs(a, b)).report()["note"]
    assert "note" not in fitted(pairs(a, b, columns)).report()


def test_a_pair_without_any_relation_fits_as_well_as_a_stranger():
    a, b, columns = in_catalogue(4000, 0)
    detector = fitted(pairs(a, b, columns))
    a, b, columns = in_catalogue(2000, 1)
    order = np.argsort(columns["magnitude"])  # a stranger alike: the next in magnitude
    swapped = np.empty_like(b)
    swapped[order] = np.roll(b[order], 1, axis=0)
    share = detector.details(pairs(a, swapped, columns, start=9000))["stranger_share"]
    assert abs(share.mean() - 0.5) < 0.03  # standard error 0.29 / sqrt(2000) = 0.0065
    assert detector.details(pairs(a, b, columns, start=9000))["stranger_share"].mean() < 0.25


def test_nobody_is_its_own_stranger_and_an_unknown_role_or_other_class_comes_last():
    a, b, columns = in_catalogue(300, 0)
    columns["class"] = np.where(np.arange(300) < 150, "star", "galaxy")
    columns["magnitude"][::2] = np.nan
    x = pairs(a, b, columns)
    detector = fitted(x, strangers=75)
    chosen = detector._fit.strangers._chosen(
        detector._fit.strangers.bits,
        detector._fit.strangers.alike.columns,
        75,
    )
    roles = detector._fit.strangers.alike.columns
    assert not chosen.diagonal().any()
    bright = np.isfinite(roles["magnitude"])
    same = roles["class"][:, None] == roles["class"]
    assert (chosen & ~same)[bright].sum() == 0
    # 74 others of its class have a magnitude, so one of the 75 has none.
    assert ((chosen & ~bright)[bright].sum(axis=1) == 1).all()


def test_a_saved_detector_gives_the_same_scores_and_details(tmp_path):
    a, b, columns = in_catalogue(500, 0)
    columns["class"] = np.where(np.arange(500) % 3, "QSO", "Galaxie größer")
    x = pairs(a, b, columns)
    detector = fitted(x)
    detector.save(tmp_path)
    loaded = MismatchDetector.load(tmp_path)
    scores, told = detector.score_with_details(x)
    again, retold = loaded.score_with_details(x)
    np.testing.assert_allclose(again, scores, rtol=1e-12)
    assert set(told) == set(DETAILS)
    for name in DETAILS:
        np.testing.assert_allclose(retold[name], told[name], rtol=1e-12)
    assert loaded.report() == detector.report()
