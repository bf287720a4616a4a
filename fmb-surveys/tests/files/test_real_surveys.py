"""The two real files, each through the survey.toml that docs/your-survey.md shows."""

import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from fmb.datasets import select
from fmb.datasets.quality import check, summary
from fmb_surveys.files.reader import FilesConfig, open_survey_file, write_survey

DOCS = Path(__file__).parents[3] / "docs" / "your-survey.md"
FILES = {
    "deep2-acs": "pairs_deep2_acs/deep2_acs_pairs.h5",
    "euclid-q1-vis": "euclid_q1_vis/euclid_q1_vis.h5",
}


def shown(name: str) -> str:
    blocks = re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)
    [block] = [block for block in blocks if f'name = "{name}"' in block]
    return block


@pytest.fixture
def survey(real_data, tmp_path):
    def survey(name):
        file = real_data / FILES[name]
        (tmp_path / file.name).symlink_to(file)
        (tmp_path / "survey.toml").write_text(shown(name))
        return open_survey_file(str(tmp_path), FilesConfig(), cache=tmp_path), h5py.File(file)

    return survey


@pytest.mark.parametrize("name", FILES)
def test_the_docs_need_about_a_dozen_lines(name):
    lines = [line for line in shown(name).splitlines() if line.strip() and line[0] != "#"]
    assert len(lines) <= 18


def test_the_pairs_read_as_they_are(survey):
    dataset, file = survey("deep2-acs")
    rows = np.array([27, 0, 13])
    batch = dataset.read(rows)
    with file:
        assert np.array_equal(batch.inputs["acs"].flux, file["image"][()][rows])
        optimal = file["spectrum/optimal"]
        spec = batch.inputs["deimos"]
        assert np.array_equal(spec.flux, optimal["flux"][()][rows])
        assert np.array_equal(spec.wavelength_aa, optimal["wavelength"][()][rows].astype(float))
        assert np.array_equal(spec.mask, optimal["ivar"][()][rows] == 0)
        assert batch.ids.tolist() == file["object_id"].asstr()[()][rows].tolist()
    assert len(dataset) == 28
    assert dataset.inputs["acs"].bands == ("F606W", "F814W")
    assert not dataset.inputs["deimos"].calibrated
    assert dataset.inputs["deimos"].wavelength_aa == pytest.approx((6348.4, 9201.8), abs=0.1)
    assert dataset.catalog.columns.tolist() == ["ra", "dec", "mag_B", "mag_R", "mag_I"]


def test_the_zero_filled_pair_is_named_and_nothing_else_is(survey):
    dataset, _ = survey("deep2-acs")
    found = check(dataset)
    assert summary(found) == ["warning: acs: zero-filled: 1 object, DEEP2-12011504 (38%)"]


def test_the_pictures_read_as_they_are_and_are_not_photometric(survey):
    dataset, file = survey("euclid-q1-vis")
    rows = np.array([2138, 5, 700])
    with file:
        assert np.array_equal(
            dataset.read(rows).inputs["euclid"].flux[:, 0], file["image"][()][rows]
        )
    assert len(dataset) == 2139
    assert dataset.warnings[0].startswith("not photometric")
    assert dataset.catalog["label"].value_counts().to_dict() == {
        "nonmerger": 1493,
        "merger": 449,
        "unknown": 197,
    }
    assert check(dataset) == []


def test_a_selection_of_the_pictures_follows_the_label(survey):
    dataset, _ = survey("euclid-q1-vis")
    mergers = select(dataset, where="label == 'merger' and field == 'EDF-S'", limit=40)
    assert len(mergers) == 40
    assert set(mergers.catalog["label"]) == {"merger"}
    assert mergers.read(np.arange(3)).ids.tolist() == mergers.ids[:3].tolist()


def test_real_pairs_survive_a_copy(survey, tmp_path):
    dataset, file = survey("deep2-acs")
    file.close()
    write_survey(tmp_path / "copy", select(dataset, limit=5))
    copy = open_survey_file(str(tmp_path / "copy"), FilesConfig(), cache=tmp_path)
    rows = np.arange(5)
    before, after = select(dataset, limit=5).read(rows), copy.read(rows)
    for name, data in before.inputs.items():
        for field in ("flux", "ivar", "mask", "wavelength_aa"):
            one, other = getattr(data, field, None), getattr(after.inputs[name], field, None)
            assert (one is None and other is None) or np.array_equal(one, other)
    assert copy.ids.tolist() == before.ids.tolist()
