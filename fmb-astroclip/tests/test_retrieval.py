"""Ranks of partners among decoys, their interval, how decoys are chosen, simpler matchers."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from fmb import ConfigError, DataError
from fmb_astroclip.retrieval import match_columns, median_interval, partner_ranks, retrieval

N = 300


@pytest.fixture
def objects() -> pd.DataFrame:
    """A catalogue whose colour is its redshift, to a hundredth."""
    rng = np.random.default_rng(0)
    z, mag = rng.uniform(0.05, 0.6, N), rng.uniform(17, 21, N)
    colour = z + rng.normal(0, 0.01, N)
    return pd.DataFrame(
        {"object_id": np.arange(N), "redshift": z, "mag_r": mag, "mag_g": mag + colour}
    )


def found(objects, image, spectrum, k=50, **columns):
    names = {"redshift": "redshift", "magnitude": "mag_r", **columns}
    return retrieval(objects, image, spectrum, k=k, **names)


def noise(seed, d=16):
    return np.random.default_rng(seed).normal(size=(N, d)).astype(np.float32)


def test_ranks_count_what_is_closer_and_half_of_what_ties():
    closeness = np.array([[0.5, 0.9, 0.1], [0.2, 0.2, 0.1], [0.3, 0.3, 0.3]])
    decoys = np.array([[1, 2], [0, 2], [0, 1]])
    assert partner_ranks(closeness, decoys).tolist() == [2, 1.5, 2]
    assert partner_ranks(closeness, decoys[:, :1]).tolist() == [2, 1.5, 1.5]


@pytest.mark.parametrize("n", [20, 101, 500])
def test_the_interval_of_the_median_covers_95_percent(n):
    """The count below the median is binomial; whole ranks cover a little more or less than 95 %."""
    low, high = median_interval(np.arange(1, n + 1))
    covered = binom.cdf(high - 1, n, 0.5) - binom.cdf(low - 1, n, 0.5)
    assert 0.94 < covered < 0.97
    assert median_interval(np.array([3.0, 1.0])) == (1, 3)


def test_the_same_vectors_find_each_other_and_unrelated_ones_by_chance(objects):
    same = noise(1)
    perfect = found(objects, same, same + 5)  # the offset of a modality is taken away
    assert perfect["spectrum_rank"] == perfect["image_rank"] == 1
    assert found(objects, same, -same)["spectrum_rank"] == 51
    unrelated = found(objects, same, noise(2))
    assert unrelated["chance_rank"] == 26
    for name in ("spectrum_rank", "image_rank"):
        assert unrelated[f"{name}_low"] <= 26 <= unrelated[f"{name}_high"]


def test_vectors_that_are_all_alike_find_nothing(objects):
    alike = np.ones((N, 16), np.float32)
    assert found(objects, alike, noise(1))["spectrum_rank"] == 26


def test_a_direction_is_that_of_who_looks_for_whom(objects):
    """Spectra that are all one of two: an image sees its half, a spectrum sees every image."""
    image = noise(3)
    spectrum = image.copy()
    spectrum[:, 1:] = 0
    one_way = found(objects, image, spectrum)
    own = np.corrcoef(image[:, 0], spectrum[:, 0])[0, 1]
    assert own == pytest.approx(1)
    assert one_way["spectrum_rank"] != one_way["image_rank"]


def test_decoys_like_the_object_take_away_what_redshift_alone_finds(objects):
    """Vectors that hold the redshift and nothing else, to a hundredth."""
    rng = np.random.default_rng(4)
    angle = np.pi * (objects["redshift"].to_numpy() + rng.normal(0, 0.01, (2, N)))
    image, spectrum = (np.column_stack([np.cos(a), np.sin(a)]) for a in angle)
    matched = found(objects, image, spectrum, k=20)
    free = found(objects, image, spectrum, k=20, redshift="", magnitude="")
    assert (matched["matched"], free["matched"]) == (1, 0)
    assert matched["spectrum_rank"] > 2 * free["spectrum_rank"]
    assert matched["decoy_dz"] < 0.05
    assert matched["decoy_dmag"] < 0.5
    assert not [name for name in free if "photoz" in name or "decoy_d" in name]


def test_photometric_redshifts_come_from_the_colours_and_leave_the_object_itself_out(objects):
    """A colour that is the redshift to 0.01, averaged over ten neighbours along it."""
    known = found(objects, noise(1), noise(2))
    assert known["photoz_scatter"] < 0.03
    assert known["photoz_spectrum_rank"] < 26
    objects["mag_g"] = np.random.default_rng(7).uniform(17, 21, N)
    unknown = found(objects, noise(1), noise(2))
    assert unknown["photoz_scatter"] > 0.08
    assert 18 < unknown["photoz_spectrum_rank"] < 34
    alone = found(objects.drop(columns="mag_g"), noise(1), noise(2))
    assert "photoz_scatter" not in alone


def test_a_repeat_of_a_source_is_no_decoy(objects):
    objects["group"] = [str(i // 2) for i in range(N)]
    same = noise(1)
    same[1::2] = same[::2]  # the twin is as close as the partner
    assert found(objects, same, same)["spectrum_rank"] == 1
    assert found(objects, same, same)["sources"] == N / 2


def test_objects_without_redshift_are_left_out_of_matching(objects):
    objects.loc[:9, "redshift"] = np.nan
    assert found(objects, noise(1), noise(2))["sources"] == N - 10
    assert found(objects, noise(1), noise(2), redshift="")["sources"] == N


def test_there_are_as_many_decoys_as_there_are(objects):
    few = found(objects.iloc[:8], noise(1)[:8], noise(1)[:8], k=100)
    assert (few["decoys"], few["chance_rank"]) == (7, 4.5)
    with pytest.raises(DataError, match="1 source with redshift and mag_r is held out"):
        found(objects.iloc[:1], noise(1)[:1], noise(1)[:1])


def test_no_more_than_two_thousand_are_compared():
    many = pd.DataFrame({"object_id": np.arange(2500)})
    same = np.random.default_rng(0).normal(size=(2500, 3))
    assert retrieval(many, same, same, redshift="", magnitude="", k=5)["sources"] == 2000


def test_columns_are_found_and_named_ones_must_be_there(objects):
    assert match_columns(objects, None, None) == ("redshift", "mag_r")
    assert match_columns(objects, None, "mag_g") == ("redshift", "mag_g")
    bare = objects.rename(columns={"redshift": "Z", "mag_r": "MAG_I"})
    assert match_columns(bare[["object_id", "Z", "MAG_I"]], "Z", None) == ("Z", "MAG_I")
    assert match_columns(bare[["object_id"]], None, None) == ("", "")
    with pytest.raises(ConfigError, match=r"train.redshift_column: .*'redshif'; did you mean 're"):
        match_columns(objects, "redshif", None)
