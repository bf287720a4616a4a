"""The wrapper: what it adds, what it leaves alone, and that it repeats itself."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from fmb import DataError
from fmb.datasets import select
from fmb_surveys.planting import KINDS, Planted, PlantingConfig

ALL = PlantingConfig(mode="paired", n_per_kind=2, strengths=(0.0, 1.0))


def same(a, b) -> bool:
    return all(
        np.array_equal(getattr(a.inputs[name], array), getattr(b.inputs[name], array))
        for name in a.inputs
        for array in ("flux", "ivar", "mask")
    )


def test_hosts_stay_as_they_are_in_a_paired_survey(plain):
    planted = Planted(plain, ALL)
    rows = np.arange(len(plain))
    assert same(planted.read(rows), plain.read(rows))
    shared = list(plain.catalog.columns)
    assert planted.catalog[shared].iloc[: len(plain)].equals(plain.catalog)
    assert (planted.catalog.label[: len(plain)] == "ordinary").all()


def test_copies_have_ids_of_their_own_and_name_their_host(plain):
    planted = Planted(plain, ALL)
    assert planted.ids.dtype == np.int64
    assert len(set(planted.ids.tolist())) == len(planted)
    assert np.array_equal(planted.catalog.object_id, planted.ids)
    copies = planted.catalog.iloc[len(plain) :]
    hosts = [plain.ids[injection.host] for injection in planted.injections]
    assert copies.injected_from.tolist() == hosts
    assert copies.group.tolist() == hosts  # never on two sides of a fold
    assert {len(str(i)) for i in copies.object_id} == {19}


def test_every_kind_is_planted_at_every_strength_in_the_same_hosts(plain):
    planted = Planted(plain, ALL)
    for name, kind in KINDS.items():
        mine = [i for i in planted.injections if i.kind.name == name]
        hosts = [i.host for i in mine]
        if kind.parameter:
            assert len(mine) == 4
            assert sorted(hosts[::2]) == sorted(hosts[1::2])
            assert {i.strength for i in mine} == {0.0, 1.0}
        else:
            assert len(mine) == 2
            assert all(np.isnan(i.strength) for i in mine)
    labels = planted.catalog.label[len(plain) :]
    views = planted.catalog.declared_view[len(plain) :]
    assert [KINDS[label].view for label in labels] == views.tolist()


def test_geometry_is_the_same_at_every_strength(plain):
    config = PlantingConfig(mode="paired", kinds=("trail",), n_per_kind=1, strengths=(0.0, 1.0))
    planted = Planted(plain, config)
    host = plain.read(np.array([planted.injections[0].host])).inputs["cam"].flux
    weak, strong = (planted.read(np.array([40 + k])).inputs["cam"].flux - host for k in (0, 1))
    assert strong[0, 0] == pytest.approx(10 * weak[0, 0], abs=2e-6)


def test_in_a_survey_the_length_and_the_ids_stay(plain):
    config = PlantingConfig(mode="in-survey", kinds=("trail", "agn"), prevalence=0.1)
    planted = Planted(plain, config)
    assert np.array_equal(planted.ids, plain.ids)
    labels = planted.catalog.label
    assert (labels != "ordinary").sum() == 4
    untouched = np.flatnonzero(labels == "ordinary")
    assert same(planted.read(untouched), plain.read(untouched))
    for row in np.flatnonzero(labels != "ordinary"):
        assert not same(planted.read(np.array([row])), plain.read(np.array([row])))
    assert "injected_from" not in planted.catalog


def test_prevalence_is_that_of_all_kinds_together(make_plain):
    survey = make_plain(200)
    config = PlantingConfig(mode="in-survey", prevalence=0.16)
    planted = Planted(survey, config)
    counts = planted.catalog.label.value_counts().drop("ordinary")
    assert set(counts.index) == set(KINDS)
    assert set(counts) == {2}
    hosts = [injection.host for injection in planted.injections]
    assert len(set(hosts)) == len(hosts)


@pytest.mark.parametrize("mode", ["paired", "in-survey"])
def test_a_row_is_the_same_whatever_it_is_read_with(make_plain, mode):
    survey = make_plain(60)
    config = PlantingConfig(mode=mode, n_per_kind=1, prevalence=0.4, strengths=(0.5,))
    planted = Planted(survey, config)
    everything = planted.read(np.arange(len(planted)))
    rows = np.random.default_rng(0).permutation(len(planted))[:30]
    some = pickle.loads(pickle.dumps(planted)).read(rows)
    assert np.array_equal(some.ids, planted.ids[rows])
    for name in planted.inputs:
        alone = planted.read(rows, [name])
        assert list(alone.inputs) == [name]
        for array in ("flux", "ivar", "mask"):
            expected = getattr(everything.inputs[name], array)[rows]
            assert np.array_equal(getattr(some.inputs[name], array), expected)
            assert np.array_equal(getattr(alone.inputs[name], array), expected)


def test_the_wrapped_survey_is_not_changed(plain):
    before = pickle.dumps((plain.images, plain.spectra, plain.catalog))

    class Careless:
        """Gives away its own arrays."""

        def __getattr__(self, name):
            return getattr(plain, name)

        def __len__(self):
            return len(plain)

        def read(self, rows, inputs=None):
            if np.array_equal(rows, np.arange(len(plain))):
                whole = plain.read(rows, inputs)
                found = {"cam": plain.images, "spec": plain.spectra}
                return replace(whole, inputs={name: found[name] for name in whole.inputs})
            return plain.read(rows, inputs)

    planted = Planted(Careless(), PlantingConfig(mode="in-survey", prevalence=0.4))
    planted.read(np.arange(len(plain)))
    assert pickle.dumps((plain.images, plain.spectra, plain.catalog)) == before


def test_the_same_configuration_plants_the_same_and_another_seed_does_not(plain):
    again, other = Planted(plain, ALL), Planted(plain, ALL.model_copy(update={"seed": 1}))
    first = Planted(plain, ALL)
    assert first.catalog.equals(again.catalog)
    assert [i.host for i in first.injections] != [i.host for i in other.injections]
    assert first.identity == again.identity != other.identity


def test_objects_without_usable_pixels_and_repeats_are_no_hosts(plain):
    plain.images.flux[:10] = np.nan
    plain.spectra.mask[10:20] = True
    plain.catalog["group"] = [*range(30), *[99] * 10]
    config = PlantingConfig(mode="paired", kinds=("trail", "swap-easy"), n_per_kind=10)
    planted = Planted(plain, config)
    used = {i.host for i in planted.injections}
    assert used == set(range(20, 30))
    assert {i.donor for i in planted.injections} - {-1} <= set(range(20, 40))


def test_too_few_hosts_are_reported(make_plain):
    survey = make_plain(6)
    planted = Planted(survey, PlantingConfig(mode="paired", kinds=("trail",), n_per_kind=50))
    assert "planting found few hosts: trail: 6 of 50 hosts found" in planted.warnings


def test_text_ids_stay_text(plain):
    plain.ids = np.array([f"G{k}" for k in range(len(plain))])
    del plain.catalog["object_id"]
    planted = Planted(plain, PlantingConfig(mode="paired", kinds=("trail",), n_per_kind=2))
    assert planted.ids.dtype.kind == "U"
    assert planted.ids[-1].startswith(planted.catalog.injected_from.iloc[-1] + "-trail-")


def test_labels_of_the_survey_are_kept_where_nothing_is_planted(plain):
    plain.catalog["label"] = "known"
    planted = Planted(plain, PlantingConfig(mode="in-survey", kinds=("trail",), prevalence=0.1))
    assert planted.catalog.label.value_counts().to_dict() == {"known": 36, "trail": 4}
    assert planted.catalog.attrs["units"] == {"mag_vis": "mag(AB)"}


def test_inputs_that_some_objects_lack_are_left_out_and_never_made_up(plain):
    present = np.arange(len(plain)) % 2 == 0
    plain.inputs["spec"] = replace(plain.inputs["spec"], present=present)
    read = plain.read

    def partly(rows, inputs=None):
        batch = read(rows, inputs)
        if "spec" not in batch.inputs:
            return batch
        have = np.flatnonzero(present[np.asarray(rows)])
        return replace(
            batch,
            inputs={**batch.inputs, "spec": batch.inputs["spec"].take(have)},
            rows={**batch.rows, "spec": have},
        )

    plain.read = partly
    planted = Planted(plain, PlantingConfig(mode="paired", kinds=("agn",), n_per_kind=3))
    assert all(present[i.host] for i in planted.injections)
    assert planted.inputs["spec"].present[len(plain) :].all()
    batch = planted.read(np.array([1, len(plain), 3, 0]))
    assert batch.rows["spec"].tolist() == [1, 3]
    assert len(batch.inputs["cam"]) == 4


def test_an_unknown_input_is_named(plain):
    with pytest.raises(DataError, match="did you mean 'cam'"):
        Planted(plain, ALL).read(np.arange(1), ["cm"])


def test_a_grid_of_its_own_for_each_object_is_kept_and_swapped(plain):
    grid = plain.spectra.wavelength_aa + np.arange(len(plain))[:, None] * 0.1
    plain.spectra = replace(plain.spectra, wavelength_aa=grid)

    def read(rows, inputs=None):
        rows = np.asarray(rows)
        s = plain.spectra
        mine = replace(
            s, flux=s.flux[rows], ivar=s.ivar[rows], mask=s.mask[rows], wavelength_aa=grid[rows]
        )
        batch = type(plain).read(plain, np.arange(0), ["cam"])
        return replace(
            batch,
            ids=plain.ids[rows],
            inputs={"cam": plain.images.take(rows), "spec": mine},
            rows={"cam": np.arange(len(rows)), "spec": np.arange(len(rows))},
        )

    plain.read = read
    planted = Planted(plain, PlantingConfig(mode="paired", kinds=("swap-easy",), n_per_kind=3))
    for k, injection in enumerate(planted.injections):
        got = planted.read(np.array([len(plain) + k, 0])).inputs["spec"]
        assert np.array_equal(got.wavelength_aa[0], grid[injection.donor])
        assert np.array_equal(got.wavelength_aa[1], grid[0])


def test_what_is_planted_plays_its_roles_in_the_catalogue(plain):
    paired = Planted(plain, ALL).catalog.attrs["roles"]
    assert paired == {"class": "label", "group": "group"}
    plain.catalog.attrs["roles"] = {"magnitude": "mag_vis", "class": "morphology"}
    config = PlantingConfig(mode="in-survey", kinds=("trail",), prevalence=0.1)
    kept = Planted(plain, config).catalog.attrs["roles"]
    assert kept == {"magnitude": "mag_vis", "class": "morphology"}


@pytest.mark.parametrize("mode", ["in-survey", "paired"])
def test_planted_pixels_come_from_all_inputs_of_host_and_donor(plain, mode):
    n = len(plain)
    for number, name in enumerate(plain.inputs):
        files = np.arange(n, dtype=np.uint64) + np.uint64(1000 * number + 1)
        plain.inputs[name] = replace(plain.inputs[name], origin=files)
    config = PlantingConfig(mode=mode, kinds=("swap-easy",), n_per_kind=2, prevalence=0.1)
    planted = Planted(plain, config)
    rows = [n, n + 1] if mode == "paired" else [i.host for i in planted.injections]
    before = planted.inputs["cam"].origin
    own = np.setdiff1d(np.arange(n), rows)
    assert (before[own] == own + 1).all()
    assert before[rows].min() > 2000  # in no file
    donor = planted.injections[0].donor
    assert planted.injections[1].donor != donor
    spec = plain.inputs["spec"].origin.copy()
    spec[donor] += np.uint64(500)  # the file of its spectrum changes
    plain.inputs["spec"] = replace(plain.inputs["spec"], origin=spec)
    after = Planted(plain, config).inputs["cam"].origin
    moved = np.flatnonzero(after != before)
    others = {k for k, i in enumerate(planted.injections) if donor in (i.host, i.donor)}
    assert moved.tolist() == sorted(rows[k] for k in others)


def test_planted_pixels_have_no_origin_where_that_of_one_input_is_not_known(plain):
    files = np.arange(1, len(plain) + 1, dtype=np.uint64)
    plain.inputs["cam"] = replace(plain.inputs["cam"], origin=files)
    planted = Planted(plain, PlantingConfig(mode="paired", kinds=("trail",), n_per_kind=2))
    assert planted.inputs["cam"].origin is None
    chosen = select(planted, limit=5)
    assert chosen.read(np.arange(5)).ids.tolist() == chosen.ids.tolist()


def test_hosts_of_a_survey_known_to_be_sound_are_chosen_without_a_look(plain):
    looked = []
    plain_read = plain.read
    plain.read = lambda rows, inputs=None: looked.extend(rows) or plain_read(rows, inputs)
    config = PlantingConfig(mode="paired", kinds=("trail",), n_per_kind=2)
    hosts = [i.host for i in Planted(plain, config, sound=True).injections]
    assert looked == []
    assert [i.host for i in Planted(plain, config).injections] == hosts
    assert set(looked) == set(hosts)
