"""The suspiciously ordinary: repeats, blanks and clumps lead the list, and nothing else is one."""

import numpy as np
import pytest
from scipy.special import gammaincinv

from fmb import DataError, Vectors
from fmb.crossfit import cross_fit
from fmb.testing import DetectorContract
from fmb_detectors.neighbour_config import TypicalConfig
from fmb_detectors.plugin import fmb_register_detectors
from fmb_detectors.typical import TypicalDetector

(RECORD,) = (one for one in fmb_register_detectors() if one.name == "typical")


class TestContract(DetectorContract):
    """What leads here is not far out but near to some that were fitted, as blanks are."""

    spec = RECORD

    def make(self, seed=0):
        return TypicalDetector(TypicalConfig(), seed=seed, device="cpu")

    def ordinary(self, seed):
        x = super().ordinary(seed)
        rng = np.random.default_rng(seed)
        x.values[:9] = 3 + 1e-4 * rng.normal(size=(9, self.n_dims))
        return x

    def _planted(self):
        rng = np.random.default_rng(7)
        blanks = 3 + 1e-4 * rng.normal(size=(30, self.n_dims))
        return Vectors(1000 + np.arange(30), blanks.astype(np.float32))


POPULATIONS = {
    "one dimension": lambda rng, n: rng.normal(size=(n, 1)),
    "two": lambda rng, n: rng.normal(size=(n, 2)),
    "many": lambda rng, n: rng.normal(size=(n, 100)),
    "heavy tails": lambda rng, n: rng.standard_t(2, size=(n, 8)),
    "skewed": lambda rng, n: rng.lognormal(size=(n, 20)),
    "dense and thin": lambda rng, n: (
        rng.normal(size=(n, 6)) * rng.choice([0.1, 1], size=(n, 1), p=[0.3, 0.7])
    ),
}


def population(name, seed=0, n=2000):
    values = POPULATIONS[name](np.random.default_rng(seed), n)
    return Vectors(3 * np.arange(n), values.astype(np.float32))


def with_clump(x, rows, width=1e-3, seed=1):
    noise = np.random.default_rng(seed).normal(size=(len(rows), x.values.shape[1]))
    values = x.values.copy()
    values[rows] = values[rows[0]] + width * x.values.std(axis=0) * noise
    return Vectors(x.ids, values)


def judged(x, **options):
    detector = TypicalDetector(TypicalConfig(**options), seed=0)
    detector.fit(x)
    return *detector.score_with_details(x), detector.report()


@pytest.mark.parametrize("name", POPULATIONS)
def test_without_clumps_no_object_is_in_one_of_more_than_five(name):
    for seed in range(3):
        _, told, report = judged(population(name, seed))
        assert told["clump_size"].max() <= 5
        assert report["clumps"] == report["in_clumps"] == 0
        assert "note" not in report


@pytest.mark.parametrize("name", [name for name in POPULATIONS if name != "one dimension"])
def test_eight_that_are_nearly_the_same_lead_a_list_of_two_thousand(name):
    rows = np.arange(100, 900, 100)
    x = with_clump(population(name), rows)
    scores, told, report = judged(x)
    assert set(np.argsort(-scores)[:8]) == set(rows)
    assert told["clump_size"][rows].tolist() == [8] * 8
    assert told["clump"][rows].tolist() == [1] * 8
    assert (report["clumps"], report["in_clumps"]) == (1, 8)
    assert report["note"] == "clumps of more than 5 objects that are all but the same"


def test_two_clumps_and_the_exact_repeats_of_a_third_have_numbers_by_size():
    x = population("many")
    for rows, width in ((np.arange(40), 0.0), (np.arange(50, 60), 1e-3), (np.arange(70, 77), 1e-2)):
        x = with_clump(x, rows, width)
    scores, told, _ = judged(x)
    assert told["clump"][[0, 39, 50, 59, 70, 76, 80]].tolist() == [1, 1, 2, 2, 3, 3, 0]
    assert told["clump_size"][[0, 50, 70, 80]].tolist() == [40, 10, 7, 1]
    assert told["nearest"][:40].max() == 0
    # -log(0 + 1e-6)
    assert scores[:40] == pytest.approx([np.log(1e6)] * 40)


@pytest.mark.parametrize(("share", "width"), [(0.3, 1e-3), (0.45, 1e-3), (0.6, 0.0)])
def test_blanks_are_found_where_they_are_a_large_part_of_the_survey(share, width):
    x, n = population("many"), int(share * 2000)
    scores, told, _ = judged(with_clump(x, np.arange(n), width))
    assert set(np.argsort(-scores)[:n]) == set(range(n))
    assert (told["clump_size"][:n] == n).all()
    assert (told["clump"][n:] == 0).all()


def test_steps_that_hang_together_are_one_clump_and_a_gap_parts_two():
    x = population("many")
    step = np.zeros((12, 100))
    step[:, 0] = np.r_[np.arange(6), np.arange(6) + 60]  # of nearest neighbours 10 apart
    values = x.values.copy()
    values[:12] = 5 + 0.5 * step
    _, told, _ = judged(Vectors(x.ids, values), metric="euclidean")
    assert told["clump"][:12].tolist() == [1] * 6 + [2] * 6


def test_in_a_cross_fit_eight_of_two_thousand_lead_the_list_too():
    rows = np.arange(100, 900, 100)
    x = with_clump(population("many"), rows)
    made = cross_fit(
        lambda fold: TypicalDetector(TypicalConfig(), seed=0),
        x,
        x.ids,
        name="typical",
        details=tuple(RECORD.details),
    )
    assert set(np.argsort(-made.scores)[:8]) == set(rows)
    for row in rows:
        others = np.count_nonzero(made.fold[rows] != made.fold[row])
        assert made.details["clump_size"][row] == others + 1
    rest = np.setdiff1d(np.arange(2000), rows)
    assert (made.details["clump_size"][rest] == 1).all()
    assert (made.details["clump"][rest] == 0).all()


def test_the_two_lengths_are_quantiles_of_the_nearest_neighbour_distances():
    """On a line of n / 2 objects a unit, distances to the nearest are exponential of rate n."""
    n = 4000
    values = np.random.default_rng(0).uniform(0, 2, size=(n, 1)).astype(np.float64)
    x = Vectors(np.arange(n), values.astype(np.float32))
    report = judged(x, metric="euclidean")[2]
    median, upper = gammaincinv(1, 0.5) / n, gammaincinv(1, 0.75) / n
    # 2,000 of the objects are looked at: 3 standard errors of a median are 0.1 of it.
    assert report["median_nearest"] == pytest.approx(median, rel=0.1)
    expected = median * (upper / median) ** (-3.0902 / 0.6745)
    assert report["linking_length"] == pytest.approx(expected, rel=0.5)


def test_what_is_suspiciously_near_is_nearer_than_half_of_what_most_have():
    """In many dimensions all distances are nearly the same, and so are all their quantiles."""
    report = judged(population("many"))[2]
    assert report["linking_length"] == pytest.approx(report["median_nearest"] / 2, rel=1e-12)


def test_a_score_is_how_many_times_nearer_the_fourth_is_than_the_nearest_of_most():
    x = population("many", n=300)
    away = np.linalg.norm(x.values[:, None].astype(np.float64) - x.values, axis=2)
    away.sort(axis=1)
    scores, told, _ = judged(x, metric="euclidean")
    assert told["nearest"] == pytest.approx(away[:, 1], rel=1e-6)
    expected = -np.log(away[:, 4] / np.median(away[:, 1]) + 1e-6)
    assert scores == pytest.approx(expected, abs=1e-6)


def test_too_few_objects_are_refused_with_the_option_to_set():
    with pytest.raises(DataError, match="4 fitted objects do not have 4 neighbours each; set"):
        judged(population("two", n=4))
