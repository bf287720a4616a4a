"""Fits kept as files: read back, they score as those that made the list."""

import json

import numpy as np
import pytest

from fmb.contract.names import VectorName
from fmb.contract.vectors import Pairs, Vectors
from fmb.crossfit.given import Given
from fmb.crossfit.kept_fits import load_fits, save_fits
from fmb.crossfit.scored import cross_fit
from fmb.messages.errors import ShapeError, StoreError

K = 4
NAMES = ("magnitude", "snr")


class Distance:
    """Squared distance from the mean of what it was fitted to, and a level of its own."""

    def fit(self, x):
        self.centre = x.values.mean(axis=0, dtype=np.float64)
        self.level = 1000 * np.sin(x.ids.sum())

    def score(self, x):
        return ((x.values - self.centre) ** 2).sum(axis=1) + self.level

    def save(self, folder):
        np.save(folder / "centre.npy", np.append(self.centre, self.level))

    @classmethod
    def load(cls, folder):
        made, held = cls(), np.load(folder / "centre.npy")
        made.centre, made.level = held[:-1], held[-1]
        return made


class Between:
    """Squared distance of two views."""

    def fit(self, x):
        pass

    def score(self, x):
        return ((x.a - x.b).astype(np.float64) ** 2).sum(axis=1)

    def save(self, folder):
        (folder / "empty").touch()

    @classmethod
    def load(cls, folder):
        return cls()


def vectors(n=300, seed=0):
    rng = np.random.default_rng(seed)
    roles = rng.normal(size=(n, 2))
    values = 2 * roles[:, :1] + rng.normal(size=(n, 3)) * np.exp(0.5 * roles[:, 1:])
    return Vectors(np.arange(n), values.astype(np.float32)), roles


def again(folder, detector, x, names=(), **options):
    """Scores by the fits that made them, and by the same read back."""
    made = cross_fit(lambda fold: detector(), x, x.ids, K, name="mine", **options)
    save_fits(folder, made.detectors, names, made.given)
    back = load_fits(folder, detector.load, "new")
    return made, back.score_each(x)[made.fold, np.arange(len(x))]


def test_what_was_taken_off_the_scores_of_each_fit_is_taken_off_again(tmp_path):
    x, _ = vectors()
    made, scores = again(tmp_path, Distance, x, centred=True)
    assert np.ptp([one.offset for one in made.detectors]) > 100
    np.testing.assert_allclose(scores, made.scores, rtol=1e-12)


@pytest.mark.parametrize("centred", [False, True])
def test_fits_given_roles_take_out_of_scores_what_they_took_out_of_the_list(tmp_path, centred):
    x, roles = vectors(n=400)
    roles[::3, 1] = np.nan
    roles[::30] = np.nan
    made, scores = again(tmp_path, Distance, Given(x, NAMES, roles), NAMES, centred=centred)
    assert {len(one[0].level) for one in made.given} == {3}
    # Vectors go through the same float32 arithmetic in blocks of other rows.
    np.testing.assert_allclose(scores, made.scores, rtol=1e-6, atol=1e-6)


def test_both_views_of_a_pair_keep_what_they_are_given(tmp_path):
    x, roles = vectors()
    other, _ = vectors(seed=1)
    names = VectorName("m", "mean", "a"), VectorName("m", "mean", "b")
    pairs = Given(Pairs(x.ids, x.values, other.values, False, names), NAMES, roles)
    made, scores = again(tmp_path, Between, pairs, NAMES)
    np.testing.assert_allclose(scores, made.scores, rtol=1e-6, atol=1e-6)


def test_new_objects_come_with_the_roles_of_the_list(tmp_path):
    x, roles = vectors()
    again(tmp_path, Distance, Given(x, NAMES, roles), NAMES)
    fits = load_fits(tmp_path, Distance.load, "new")
    with pytest.raises(ShapeError, match="given magnitude, snr, the new objects come with no role"):
        fits.score(x)
    with pytest.raises(ShapeError, match="the new objects come with snr, magnitude"):
        fits.score(Given(x, NAMES[::-1], roles))


def test_fits_that_are_not_whole_are_refused(tmp_path):
    with pytest.raises(StoreError, match="holds no fits"):
        load_fits(tmp_path, Distance.load, "new")
    x, roles = vectors()
    again(tmp_path, Distance, Given(x, NAMES, roles), NAMES)
    place = tmp_path / "given-2" / "conditioning.json"
    record = json.loads(place.read_text())
    place.write_text(json.dumps({**record, "revision": 1}))
    with pytest.raises(StoreError, match="of another version of the conditioning"):
        load_fits(tmp_path, Distance.load, "new")
    place.write_text(json.dumps(record))
    (tmp_path / "offsets.json").write_text('{"offsets": [0.0]}')
    with pytest.raises(StoreError, match=r"offsets.json is damaged; make its list anew"):
        load_fits(tmp_path, Distance.load, "new")
