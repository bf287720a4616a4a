import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmb_viz.curves import clipped, envelope, thinned

heights = st.lists(st.floats(-2.0, 3.0) | st.just(np.nan), min_size=2, max_size=40)


def test_a_curve_ends_where_it_leaves_its_panel():
    curve = np.array([[0.0, -1.0], [1.0, 1.0], [2.0, -1.0]])
    expected = [[0.5, 0.0], [0.75, 0.5], [np.nan, np.nan], [1.25, 0.5], [1.5, 0.0]]
    np.testing.assert_array_equal(clipped(curve, 0.0, 0.5)[:5], expected)


def test_a_curve_that_stays_inside_is_left_as_it_is():
    curve = np.array([[0.0, 0.2], [1.0, 0.9], [2.0, 0.9], [3.0, 0.0]])
    part = clipped(curve, 0.0, 1.0)
    np.testing.assert_array_equal(part[np.isfinite(part[:, 0])], curve)
    assert np.isfinite(part[:4]).all()  # nor is it broken


def test_a_curve_outside_is_not_drawn():
    assert len(clipped(np.array([[0.0, 2.0], [1.0, 2.0], [2.0, 3.0]]), 0.0, 1.0)) == 0


@given(heights)
def test_what_is_left_of_a_curve_lies_inside_and_on_it(values):
    y = np.array(values)
    x = np.arange(len(y), dtype=float)
    part = clipped(np.column_stack([x, y]), 0.0, 1.0)
    part = part[np.isfinite(part[:, 0])]
    # 1e-12: a crossing is interpolated in float64.
    assert ((part[:, 1] >= -1e-12) & (part[:, 1] <= 1.0 + 1e-12)).all()
    for at, height in part:
        left = min(int(at), len(y) - 2)
        sides = [i for i in (left - 1, left) if i >= 0 and np.isfinite(y[i : i + 2]).all()]
        on = [y[i] + (at - i) * (y[i + 1] - y[i]) for i in sides if i <= at <= i + 1]
        assert any(value == pytest.approx(height, abs=1e-9) for value in on)
    inside = (y[:-1] > 0.0) & (y[:-1] < 1.0) & np.isfinite(y[1:])
    assert set(x[:-1][inside]) <= set(part[:, 0])


def test_a_thinned_curve_keeps_the_extremes_of_every_column():
    rng = np.random.default_rng(0)
    x, y = np.linspace(0.0, 10.0, 5000, endpoint=False), rng.normal(size=5000)
    x_few, y_few = thinned(x, y, 0.1)
    assert len(x_few) <= 4 * 101
    for column in range(100):
        many = y[(x >= 0.1 * column + 1e-6) & (x < 0.1 * (column + 1) - 1e-6)]
        few = y_few[(x_few >= 0.1 * column - 1e-6) & (x_few < 0.1 * (column + 1) + 1e-6)]
        assert few.min() <= many.min()
        assert few.max() >= many.max()
    assert (x_few[0], y_few[0], x_few[-1], y_few[-1]) == (x[0], y[0], x[-1], y[-1])


@pytest.mark.parametrize(("first", "end"), [(1000, 1500), (20, 40)])
def test_a_thinned_curve_keeps_its_gaps(first, end):
    x, y = np.linspace(0.0, 10.0, 5000), np.ones(5000)
    y[first:end] = np.nan
    x_few, y_few = thinned(x, y, 0.1)
    gap = x_few[np.isnan(y_few)]
    assert x[first - 1] < gap.min() <= gap.max() < x[end]
    assert not ((x_few > x[first - 1]) & (x_few < x[end]) & np.isfinite(y_few)).any()
    assert {x[first - 1], x[end]} <= set(x_few[np.isfinite(y_few)])  # and no more is lost


def test_a_curve_of_few_points_is_not_thinned():
    x, y = np.linspace(0.0, 10.0, 50), np.arange(50.0)
    assert thinned(x, y, 0.1) == (pytest.approx(x), pytest.approx(y))


def test_a_band_has_the_width_of_what_it_stands_for_and_its_gaps():
    x = np.linspace(0.0, 10.0, 5000)
    low = np.sin(x)
    low[2000:2100] = np.nan
    parts = envelope(x, low, low + 0.3, 0.1)
    assert len(parts) == 2
    assert parts[0][0].max() < x[2000]
    assert parts[1][0].min() > x[2099]
    for at, lower, upper in parts:
        np.testing.assert_allclose(upper - lower, 0.3)
        # A column of 0.1 at the steepest of the sine: its mean is that of its middle to 1e-3.
        np.testing.assert_allclose(lower, np.sin(at), atol=1e-3)
