"""What `fmb inject` writes: copies beside their hosts, the same from the same seed."""

import json
import os
import tomllib

import numpy as np
import pytest

from fmb_surveys.inject import inject
from fmb_surveys.planting import PlantingConfig

OPTIONS = ("--kind", "trail,agn", "-n", 3, "--strength", "0.5,1")


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


def arrays(batch):
    return [
        values
        for data in batch.inputs.values()
        for name in ("flux", "ivar", "mask", "values", "errors")
        if (values := getattr(data, name, None)) is not None
    ]


@pytest.fixture
def written(fmb, sky, tmp_path, opened):
    done(fmb("inject", sky, *OPTIONS, "-o", tmp_path / "out"))
    return opened(tmp_path / "out")


def test_hosts_are_written_unchanged_and_copies_beside_them(written, sky, opened):
    source = opened(sky)
    rows = np.arange(len(source))
    assert np.array_equal(written.ids[rows], source.ids)
    for ours, theirs in zip(arrays(written.read(rows)), arrays(source.read(rows)), strict=True):
        assert np.array_equal(ours, theirs, equal_nan=True)
    columns = [name for name in source.catalog if name != "label"]
    assert written.catalog[columns].iloc[rows].equals(source.catalog[columns])
    assert len(written) == len(source) + 12  # 3 hosts of 2 kinds at 2 strengths


def test_copies_name_their_host_and_say_what_is_planted(written):
    catalog = written.catalog.assign(id=written.ids)
    copies = catalog[catalog["injected_from"] != catalog["id"]]
    assert copies.index.tolist() == list(range(60, 72))
    hosts = catalog.set_index("id").loc[copies["injected_from"]]
    assert (copies["group"].to_numpy() == hosts["group"].to_numpy()).all()
    assert not set(copies["id"]) & set(hosts.index)
    assert copies["label"].value_counts().to_dict() == {"trail": 6, "agn": 6}
    assert sorted(set(copies["strength"])) == [0.5, 1.0]
    agn = copies["label"] == "agn"
    assert (copies["mag_vis"].to_numpy() < hosts["mag_vis"].to_numpy())[agn].all()
    assert (copies["redshift"].to_numpy() == hosts["redshift"].to_numpy()).all()


def test_what_was_made_is_told_and_stays_with_the_survey(fmb, sky, tmp_path):
    result = done(fmb("inject", sky, *OPTIONS, "-o", "out"))
    told = " ".join(result.stdout.split())
    assert "trail 3 6 0.5, 1 image" in told
    # 12 of 60 + 12 objects.
    line = "12 copies of 6 hosts beside 60 objects, prevalence 16.7%"
    assert line in told
    assert "kept from the host: logmass, logsfr" in told
    assert "wrote out" in told
    shown = " ".join(done(fmb("data", "show", "out")).stdout.split())
    assert line in shown
    assert "kept from the host: logmass, logsfr" in shown
    toml = tomllib.loads((tmp_path / "out" / "survey.toml").read_text())
    assert toml["name"] == "demo-injected"
    assert json.loads(toml["stored"]["identity"])["planted"]["kinds"] == ["trail", "agn"]


def test_json_has_what_the_table_has(fmb, sky):
    told = json.loads(done(fmb("inject", sky, *OPTIONS, "-o", "out", "--json")).stdout)
    assert [kind["kind"] for kind in told["kinds"]] == ["trail", "agn"]
    assert (told["n_copies"], told["n_hosts"], told["n_objects"]) == (12, 6, 60)
    assert told["prevalence"] == pytest.approx(12 / 72)
    assert told["folder"] == "out"


def test_the_same_seed_gives_the_same_bytes_and_another_other_hosts(fmb, sky, tmp_path, opened):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        done(fmb("inject", sky, *OPTIONS, "--seed", seed, "-o", name))
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["catalog.parquet", "survey.h5", "survey.toml"]
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    hosts = [opened(tmp_path / name).catalog["injected_from"][60:].tolist() for name in "ac"]
    assert hosts[0] != hosts[1]


def test_all_cores_write_the_same_bytes_and_are_sent_the_survey_a_few_times(
    sky, tmp_path, opened, monkeypatch
):
    config = PlantingConfig(mode="paired", kinds=("trail",), n_per_kind=20, strengths=(0.0, 1.0))
    told = {"alone": [], "shared": []}
    monkeypatch.setattr("fmb_surveys.files.writer.ROWS_AT_ONCE", 2)
    for name, least in (("alone", 10**6), ("shared", 0)):
        monkeypatch.setattr("fmb_surveys.inject.survey.WORTH_SHARING", least)
        inject(
            opened(sky),
            config,
            tmp_path / name,
            progress=lambda what, done, total, name=name: told[name].append(what),
        )
    for name in ("survey.h5", "catalog.parquet", "survey.toml"):
        assert (tmp_path / "alone" / name).read_bytes() == (tmp_path / "shared" / name).read_bytes()
    assert told["alone"].count("write") == 50
    assert told["shared"].count("write") <= 16 * (os.cpu_count() or 1)


def test_copies_alone_are_those_beside_the_survey(fmb, written, sky, tmp_path, opened):
    done(fmb("inject", sky, *OPTIONS, "--only-copies", "-o", "alone"))
    alone = opened(tmp_path / "alone")
    assert np.array_equal(alone.ids, written.ids[60:])
    pixels = zip(
        arrays(alone.read(np.arange(12))), arrays(written.read(np.arange(60, 72))), strict=True
    )
    assert all(np.array_equal(ours, theirs, equal_nan=True) for ours, theirs in pixels)


def test_a_range_spreads_hosts_over_strengths(fmb, sky, tmp_path, opened):
    done(fmb("inject", sky, "--kind", "trail", "-n", 4, "--strength", "0.6..1", "-o", "out"))
    copies = opened(tmp_path / "out").catalog.iloc[60:]
    assert sorted(copies["strength"]) == pytest.approx([0.65, 0.75, 0.85, 0.95])
    assert copies["injected_from"].nunique() == 4


def test_one_copy_of_one_host_is_told_as_one(fmb, sky):
    told = done(fmb("inject", sky, "--kind", "trail", "-n", 1, "--strength", "1", "-o", "out"))
    assert "injected: 1 copy of 1 host beside 60 objects, prevalence 1.6%" in told.stdout


def test_hosts_are_those_of_a_condition(fmb, sky, tmp_path, opened):
    options = ("--kind", "trail", "-n", 60, "--strength", "1", "--where", "mag_vis < 20")
    result = done(fmb("inject", sky, *options, "-o", "out"))
    source = opened(sky)
    bright = source.ids[(source.catalog["mag_vis"] < 20).to_numpy()]
    copies = opened(tmp_path / "out").catalog.iloc[60:]
    assert 0 < len(copies) < 60
    assert set(copies["injected_from"]) <= set(bright)
    assert f"trail: {len(copies)} of 60 hosts found" in result.stderr


def test_objects_are_read_and_written_a_few_at_a_time(sky, tmp_path, opened):
    survey = opened(sky)
    read, most = survey.read, []
    survey.read = lambda rows, inputs=None: most.append(len(rows)) or read(rows, inputs)
    config = PlantingConfig(mode="paired", kinds=("agn",), n_per_kind=20, strengths=(0.0, 1.0))
    inject(survey, config, tmp_path / "out")
    assert len(opened(tmp_path / "out")) == 100
    assert max(most) <= 64


def test_an_interrupted_write_leaves_nothing(sky, tmp_path, opened):
    survey = opened(sky)
    config = PlantingConfig(mode="paired", kinds=("trail",), n_per_kind=5, strengths=(1.0,))

    def stop(what, done, total):
        if what == "write":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        inject(survey, config, tmp_path / "place" / "out", progress=stop)
    assert list((tmp_path / "place").iterdir()) == []
