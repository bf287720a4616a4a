"""Training and validation share no source, and too few objects are told."""

import numpy as np
import pandas as pd
import pytest

from fmb import DataError
from fmb_train.config import TrainConfig
from fmb_train.split import split_objects


class Catalogue:
    """Ids and a catalogue: all that a division needs."""

    def __init__(self, n=60, **columns):
        self.ids = np.arange(n) + 5
        self.catalog = pd.DataFrame(columns, index=range(n))


def test_every_object_is_in_one_part_and_a_tenth_is_held_out():
    rows = np.arange(0, 60, 2)
    split = split_objects(Catalogue(), rows, TrainConfig())
    assert sorted([*split.training, *split.validation]) == rows.tolist()
    assert len(split.validation) == 3


def test_repeats_of_a_source_are_never_divided():
    group = np.arange(60) // 3
    split = split_objects(Catalogue(group=group), np.arange(60), TrainConfig(folds=4))
    assert not set(group[split.training]) & set(group[split.validation])
    assert len(split.validation) == 15


def test_a_part_of_the_sky_can_be_held_out():
    rng = np.random.default_rng(0)
    n = 4000
    ra = rng.uniform(0, 360, n)
    survey = Catalogue(n, ra=ra, dec=np.degrees(np.arcsin(rng.uniform(-1, 1, n))))
    split = split_objects(survey, np.arange(n), TrainConfig(fold_by="sky", folds=3))
    assert split.held_out.startswith("one part of the sky in 3; sky: ")
    with pytest.raises(DataError, match="needs ra and dec"):
        split_objects(Catalogue(), np.arange(60), TrainConfig(fold_by="sky"))


def test_too_few_sources_are_one_line():
    survey = Catalogue(group=np.arange(60) // 10)
    with pytest.raises(DataError, match=r"60 objects \(6 sources\) are too few .* one in 10"):
        split_objects(survey, np.arange(60), TrainConfig())
