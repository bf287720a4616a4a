"""Which objects become hosts, and how strong what is planted in them is."""

import numpy as np
import pytest

from fmb import FmbError
from fmb_surveys.planting import Planted, PlantingConfig


def planted_in(survey, **settings):
    settings = {"kinds": ("trail",), "n_per_kind": 5, **settings}
    return Planted(survey, PlantingConfig(mode="paired", **settings))


def hosts_of(planted) -> set[int]:
    return {injection.host for injection in planted.injections}


def test_strengths_of_a_range_are_spread_over_the_hosts_in_even_steps(plain):
    planted = planted_in(plain, strengths=(0.5, 1.0), spread=True)
    assert len(hosts_of(planted)) == len(planted.injections) == 5
    found = sorted(injection.strength for injection in planted.injections)
    assert found == pytest.approx([0.55, 0.65, 0.75, 0.85, 0.95])


def test_hosts_that_are_found_are_spread_over_the_whole_range(plain):
    """Four of nine hosts: from the weak end up, the strongest of them would be at 0.39."""
    few = float(plain.catalog["mag_vis"].nsmallest(4).max())
    where = {"where": f"mag_vis <= {few!r}", "n_per_kind": 9}
    planted = planted_in(plain, strengths=(0.0, 1.0), spread=True, **where)
    found = sorted(injection.strength for injection in planted.injections)
    assert found == pytest.approx([0.125, 0.375, 0.625, 0.875])


def test_a_kind_without_strength_has_one_copy_a_host_in_a_range_too(plain):
    planted = planted_in(plain, kinds=("swap-easy",), strengths=(0.5, 1.0), spread=True)
    assert len(planted.injections) == 5
    assert all(np.isnan(injection.strength) for injection in planted.injections)


def test_hosts_satisfy_the_condition(plain):
    planted = planted_in(plain, where="mag_vis < 20", n_per_kind=100, strengths=(1.0,))
    bright = np.flatnonzero(plain.catalog["mag_vis"] < 20)
    assert hosts_of(planted) == set(bright.tolist())
    with pytest.raises(FmbError, match="leaves none"):
        planted_in(plain, where="mag_vis < 2")


def test_what_has_something_planted_in_it_is_no_host(plain):
    first = Planted(plain, PlantingConfig(mode="in-survey", kinds=("trail",), prevalence=0.2))
    planted = planted_in(first, n_per_kind=100, strengths=(1.0,))
    assert hosts_of(planted) == set(range(40)) - {i.host for i in first.injections}
    # What was known of the survey's own anomalies stays.
    old = planted.catalog.iloc[:40]
    assert old["strength"].equals(first.catalog["strength"])


def test_the_survey_says_which_columns_are_magnitude_and_redshift(plain):
    plain.catalog["photo_z"] = 0.5
    plain.catalog["total"] = 19.0
    plain.catalog.loc[:9, "total"] = 22.0
    plain.catalog.attrs["roles"] = {"redshift": "photo_z", "magnitude": "total"}
    planted = planted_in(plain, kinds=("lens",), n_per_kind=100, strengths=(1.0,))
    assert hosts_of(planted) == set(range(10, 40))  # lenses are 18.5-20.5 mag


def test_repeats_are_told_by_the_column_that_plays_the_role(plain):
    plain.catalog["source"] = ["a", "a", *[None] * 38]
    plain.catalog.attrs["roles"] = {"group": "source"}
    planted = planted_in(plain, n_per_kind=100, strengths=(1.0,))
    assert hosts_of(planted) == set(range(2, 40))
    copies = planted.catalog.iloc[40:]
    hosts = planted.catalog.set_index("object_id").loc[copies["injected_from"], "source"]
    # A host without a group gets one, so that no fold parts it from its copy.
    assert copies["source"].tolist() == hosts.tolist()
    assert copies["source"].nunique() == 38
    assert "group" not in planted.catalog


def test_classes_that_are_numbers_stand_beside_the_names_of_kinds(plain):
    plain.catalog["label"] = [0, 1] * 20
    planted = planted_in(plain, n_per_kind=2, strengths=(1.0,))
    assert set(planted.catalog["label"][:40]) == {"0", "1"}
    assert planted.catalog["label"][40:].tolist() == ["trail", "trail"]
