"""Floors are what they are called: exact components, each object unseen by its axes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from fmb import DataError
from fmb_analyses import floor_vectors
from fmb_analyses.floor_vectors import catalogue_vectors
from fmb_analyses.observed_light import noise_scale
from fmb_analyses.principal import principal_components, turned_to


@pytest.mark.parametrize("shape", [(40, 12), (12, 40)])
def test_components_are_those_of_scikit_learn_but_for_their_signs(shape):
    x = np.random.default_rng(0).normal(size=shape) * np.linspace(1, 3, shape[1])
    centre, axes = principal_components(x, 5)
    theirs = PCA(5, svd_solver="full").fit(x)
    assert centre == pytest.approx(x.mean(axis=0))
    assert np.abs(theirs.components_ @ axes) == pytest.approx(np.eye(5), abs=1e-8)
    assert (axes[np.abs(axes).argmax(axis=0), np.arange(5)] > 0).all()


def test_axes_are_turned_into_a_frame_that_spans_the_same_space():
    rng = np.random.default_rng(1)
    frame, _ = np.linalg.qr(rng.normal(size=(20, 4)))
    spin, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    axes = frame @ spin
    assert axes @ turned_to(axes, frame) == pytest.approx(frame)


def test_no_object_is_seen_through_axes_that_were_fitted_to_it(monkeypatch):
    """Objects that a fit has not seen stand no farther out than those that it has."""
    monkeypatch.setattr(floor_vectors, "N_COMPONENTS", 20)
    x = np.random.default_rng(2).normal(size=(300, 400))
    fold = np.arange(300) % 5
    unchanged = np.arange(300) < 250
    found = floor_vectors._joined([x[:, :200], x[:, 200:]], fold, unchanged)
    size = (found**2).sum(axis=1)
    seen, new = size[:250].mean(), size[250:].mean()
    assert seen == pytest.approx(new, rel=0.15)  # 50 objects of 20 numbers: 5 % each way
    centre, axes = principal_components(x, 20)  # what is seen stands out, in 400 dimensions far
    assert (((x - centre) @ axes) ** 2).sum(axis=1).mean() > 2 * new


def test_too_few_objects_for_components_are_refused(monkeypatch):
    monkeypatch.setattr(floor_vectors, "N_COMPONENTS", 20)
    with pytest.raises(DataError, match="24 objects for a fit of 20 components, which needs 40"):
        floor_vectors._axes_of(np.zeros((30, 5)), np.arange(30) % 5)


class Known:
    """A run of which only the objects are asked for."""

    def __init__(self, **columns):
        self.objects = pd.DataFrame(columns)
        self.objects.attrs = {"roles": {"size": "r50"}}


def test_features_are_magnitudes_colours_size_redshift_and_signal_to_noise():
    run = Known(
        object_id=[3, 1],
        mag_g=[20.0, 21.0],
        mag_r=[19.5, np.nan],
        r50=[10.0, 1.0],
        redshift=[0.1, 0.2],
        snr=[100.0, 10.0],
        name=["a", "b"],
    )
    ids, views = catalogue_vectors(run)
    assert ids.tolist() == [3, 1]
    assert views["catalogue"][0] == pytest.approx([20, 19.5, 0.5, 1, 0.1, 2])
    assert np.isnan(views["catalogue"][1]).all()  # one is unknown


def test_a_catalogue_without_features_is_refused():
    with pytest.raises(DataError, match="no two of magnitudes"):
        catalogue_vectors(Known(object_id=[1, 2], redshift=[0.1, 0.2]))


def test_the_scale_of_light_is_three_times_its_noise():
    light = np.random.default_rng(0).normal(0, 2, size=(4000, 3))
    light[:40] += 1000  # few bright objects are no noise
    assert noise_scale(light) == pytest.approx([6, 6, 6], rel=0.06)  # error of the median: 2 %
