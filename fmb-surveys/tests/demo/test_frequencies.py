"""How many objects of the simulation are repeats, rare, blended or lack an input: as it states."""

import numpy as np
import pytest

from fmb_surveys.demo.sky import make_cells, make_plan
from fmb_surveys.demo.surroundings import draw_blends, draw_neighbours
from fmb_surveys.demo.survey import DemoSurvey


@pytest.fixture(scope="module")
def survey() -> DemoSurvey:
    return DemoSurvey(400, 0)


def binomial_4_sigma(n: int, p: float) -> float:
    return 4 * np.sqrt(p * (1 - p) / n)


def test_gaps_and_repeats_are_as_frequent_as_stated():
    n = 40_000
    plan = make_plan(n, 0)
    assert (~plan.has_spectrum).mean() == pytest.approx(0.03, abs=binomial_4_sigma(n, 0.03))
    assert (~plan.has_image).mean() == pytest.approx(0.01, abs=binomial_4_sigma(n, 0.01))
    assert (plan.has_spectrum | plan.has_image).all()
    repeated = plan.first != np.arange(n)
    assert repeated.mean() == pytest.approx(0.01, abs=binomial_4_sigma(n, 0.01))
    assert (plan.first <= np.arange(n)).all()
    assert np.array_equal(plan.source, plan.source[plan.first])


def test_rare_galaxies_are_one_in_a_hundred():
    rare = np.concatenate(
        [DemoSurvey(2000, seed, ("desi",)).catalog.galaxy_type for seed in (0, 1)]
    )
    share = np.isin(rare, ["starburst", "post-starburst"]).mean()
    assert share == pytest.approx(0.01, abs=binomial_4_sigma(4000, 0.01))


def test_missing_inputs_are_absent_and_not_blank(survey):
    without = np.flatnonzero(~survey.inputs["desi"].present)
    assert len(without)
    got = survey.read(without[:3])
    assert not len(got.rows["desi"])
    assert not len(got.inputs["desi"])
    assert np.isnan(survey.catalog.snr[without]).all()


def test_one_cell_is_bad_and_the_others_are_within_their_limits():
    cells = make_cells(0)
    bad = cells.depth_mag < -0.5
    assert bad.sum() == 1
    assert np.abs(cells.depth_mag[~bad]).max() <= 0.3
    assert np.abs(cells.psf_factor[~bad] - 1).max() <= 0.1
    assert cells.psf_factor[bad] > 1.3


def test_blends_and_neighbours_are_as_frequent_as_stated():
    rng = np.random.default_rng(0)
    blends = [draw_blends(19.0, rng) for _ in range(4000)]
    share = np.mean([len(b.x) for b in blends])
    assert share == pytest.approx(0.10, abs=binomial_4_sigma(4000, 0.10))
    distance = np.concatenate([np.hypot(b.x, b.y) for b in blends])
    assert distance.min() >= 1.0
    assert distance.max() <= 3.0
    near = 0
    for _ in range(2000):
        others = draw_neighbours(rng)
        near += int((np.maximum(np.abs(others.x), np.abs(others.y)) < 4.8).sum())
    # Half a galaxy on 9.6 x 9.6 arcsec, less the circle of 2 arcsec that belongs to blends.
    expected = 0.5 * (1 - np.pi * 2.0**2 / 9.6**2)
    assert near / 2000 == pytest.approx(expected, abs=4 * np.sqrt(expected / 2000))
