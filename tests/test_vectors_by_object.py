"""Vectors belong to objects: whatever changes around an object, its vector is there already."""

import json
import os

import h5py
import numpy as np
import pandas as pd
import pytest

N = 40
EMBED = ("embed", "--model", "counting", "--weights", "random", "--batch-size", 8, "--json")


@pytest.fixture
def embed(fmb, counting):
    """Embed a survey; gives the ids that were encoded, sorted, and what was printed."""

    def run(survey, *more):
        result = fmb(*EMBED, "--data", survey, *more)
        assert result.exit_code == 0, result.stderr
        return sorted(counting.ids(), key=int), json.loads(result.stdout)

    return run


def ids_of(survey):
    with h5py.File(survey.parent / "tiny.h5") as file:
        return file["object_id"][:]


def names(ids):
    return [str(number) for number in sorted(np.asarray(ids).tolist())]


def test_each_object_is_encoded_once_for_all_its_views(embed, survey):
    encoded, printed = embed(survey)
    assert encoded == names(ids_of(survey))
    assert [row["vectors"] for row in printed] == [N, N, N]
    assert [row["computed"] for row in printed] == [N, N, N]
    again, printed = embed(survey)
    assert again == []
    assert [row["computed"] for row in printed] == [0, 0, 0]


@pytest.mark.parametrize(
    "selection",
    [("--limit", 9), ("--where", "mag < 20"), ("--exclude", "two.txt"), ("--ids", "two.txt")],
)
def test_a_selection_of_what_was_embedded_computes_nothing(embed, survey, tmp_path, selection):
    (tmp_path / "two.txt").write_text("\n".join(names(ids_of(survey))[:2]))
    embed(survey)
    encoded, printed = embed(survey, *selection)
    assert encoded == []
    assert 0 < printed[0]["vectors"] < N


def test_objects_that_were_left_out_are_computed_when_they_are_asked_for(embed, survey):
    first, _ = embed(survey, "--limit", 30)
    rest, _ = embed(survey)
    assert sorted([*first, *rest], key=int) == names(ids_of(survey))


def test_a_survey_that_grew_computes_what_is_new(embed, survey, make_survey):
    embed(survey)

    def longer(arrays):
        for name, values in arrays.items():
            if name != "spectrum/wavelength":
                fresh = values[-10:] + (1000 if name == "object_id" else 0.5)
                arrays[name] = np.concatenate([values, fresh.astype(values.dtype)])

    before = ids_of(survey)
    make_survey(survey.parent, change=longer)
    encoded, printed = embed(survey)
    assert encoded == names(set(ids_of(survey).tolist()) - set(before.tolist()))
    assert printed[0]["vectors"] == N + 10


def test_another_catalogue_column_computes_nothing(embed, survey, make_survey):
    embed(survey)
    make_survey(survey.parent, change=lambda arrays: arrays.update(extra=np.arange(N)))
    survey.write_text(survey.read_text().replace('["mag"]', '["mag", "extra"]'))
    assert embed(survey)[0] == []


def test_rows_in_another_order_in_a_file_of_another_name_compute_nothing(
    embed, survey, tmp_path, make_survey
):
    def shuffle(arrays):
        order = np.random.default_rng(5).permutation(N)
        for name, values in arrays.items():
            if name != "spectrum/wavelength":
                arrays[name] = values[order]

    embed(survey)
    other = make_survey(tmp_path / "moved", change=shuffle)
    (other.parent / "tiny.h5").rename(other.parent / "renamed.h5")
    other.write_text(other.read_text().replace("tiny.h5", "renamed.h5"))
    assert embed(other)[0] == []


def test_one_pixel_of_one_object_computes_that_object(embed, survey):
    embed(survey)
    with h5py.File(survey.parent / "tiny.h5", "r+") as file:
        file["image/flux"][7, 0, 3, 3] += 1
        changed = str(file["object_id"][7])
    assert embed(survey)[0] == [changed]
    assert embed(survey)[0] == []


def test_a_file_that_only_looks_new_is_read_and_not_encoded(embed, survey):
    embed(survey)
    with h5py.File(survey.parent / "tiny.h5", "r+") as file:
        file["nothing/of/interest"] = np.arange(3)
    assert embed(survey)[0] == []


def test_another_unit_is_another_input(embed, survey):
    embed(survey)
    survey.write_text(survey.read_text().replace('unit = "uJy"', 'unit = "nJy"'))
    assert embed(survey)[0] == names(ids_of(survey))


def test_a_view_that_is_asked_for_later_is_all_that_is_computed(embed, survey):
    embed(survey, "--view", "image")
    encoded, printed = embed(survey)
    assert encoded == names(ids_of(survey))
    assert {row["view"]: row["computed"] for row in printed} == {
        "image": 0, "spectrum": N, "joint": N,
    }  # fmt: skip


def test_what_a_model_can_make_nothing_of_is_not_tried_again_unless_asked(
    embed, fmb, survey, make_survey
):
    def damage(arrays):
        arrays["image/flux"][4] = np.nan

    make_survey(survey.parent, change=damage)
    _, printed = embed(survey)
    assert [row["vectors"] for row in printed] == [N - 1, N, N - 1]
    assert [row["without"] for row in printed] == [1, 0, 1]
    result = fmb(*EMBED[:-1], "--data", survey)
    assert "image: 1 objects have no vector: mostly without a value" in result.stderr
    assert "data quality: " in result.stderr  # told again though nothing was read
    assert embed(survey)[0] == []
    assert embed(survey, "--retry")[0] == [str(ids_of(survey)[4])]


def test_objects_whose_input_is_missing_are_not_waited_for(embed, survey, make_survey):
    def absent(arrays):
        arrays["seen"] = np.arange(N) % 4 > 0

    make_survey(survey.parent, change=absent)
    text = survey.read_text().replace("[inputs.desi]", '[inputs.desi]\npresent = "seen"')
    survey.write_text(text)
    _, printed = embed(survey)
    assert {row["view"]: row["vectors"] for row in printed} == {
        "image": N, "spectrum": 30, "joint": 30,
    }  # fmt: skip
    assert embed(survey)[0] == []


@pytest.fixture
def apart(tmp_path, make_survey):
    """A survey whose catalogue is a file of its own, in the order of the inputs."""
    path = make_survey(tmp_path / "apart")
    with h5py.File(path.parent / "tiny.h5") as file:
        columns = {name: file[name][:] for name in ("object_id", "ra", "dec", "redshift", "mag")}
    pd.DataFrame(columns).to_csv(path.parent / "cat.csv", index=False)
    text = path.read_text().replace("[catalog]", '[catalog]\nfile = "cat.csv"')
    for name in ("euclid", "desi"):
        text = text.replace(f"[inputs.{name}]", f"[inputs.{name}]\nsame_order = true")
    path.write_text(text)
    return path


def vectors_by_id(survey):
    import fmb

    asked = {"model": "counting", "weights": "random", "view": "image", "batch_size": 8}
    (view,) = fmb.embed(data=str(survey), **asked).values()
    ids = np.sort(pd.read_csv(survey.parent / "cat.csv")["object_id"])
    return dict(zip(ids.tolist(), view.values.tolist(), strict=True))


def test_ids_that_move_to_other_rows_take_the_vectors_of_those_rows(apart, home, counting):
    before = vectors_by_id(apart)
    table = pd.read_csv(apart.parent / "cat.csv")
    ids = table["object_id"].to_numpy()
    table.assign(object_id=ids[::-1]).to_csv(apart.parent / "cat.csv", index=False)
    after = vectors_by_id(apart)
    assert {new: after[new] for new in ids} == {
        new: before[old] for new, old in zip(ids[::-1].tolist(), ids.tolist(), strict=True)
    }


def test_a_file_that_changed_once_is_read_once(embed, survey, home):
    embed(survey)
    with h5py.File(survey.parent / "tiny.h5", "r+") as file:
        file["nothing/of/interest"] = np.arange(3)

    def ledger():
        return sorted(path.name for path in home.glob("inputs/*/euclid-*/part-*.json"))

    embed(survey)
    after = ledger()
    for _ in range(3):
        embed(survey)
    assert ledger() == after


@pytest.fixture
def files(tmp_path):
    """A survey with a file an object, whose size and time are all that is looked at."""
    folder = tmp_path / "files"
    folder.mkdir()
    flux = np.random.default_rng(0).normal(size=(12, 1, 8, 8)).astype(np.float32)
    for number, one in enumerate(flux):
        with h5py.File(folder / f"{number}.h5", "w") as file:
            file["flux"] = one
    names = [f"{number}.h5" for number in range(12)]
    pd.DataFrame({"object_id": range(12), "cam": names}).to_csv(folder / "index.csv", index=False)
    path = folder / "survey.toml"
    path.write_text(FILES)
    return path


FILES = """
name = "files"
[catalog]
file = "index.csv"
id = "object_id"
[inputs.cam]
kind = "images"
files = "index.csv"
flux = "flux"
bands = ["r"]
unit = "uJy"
pixel_scale_arcsec = 0.2
"""


def test_what_verify_has_seen_holds_from_then_on(files, home, counting):
    import fmb

    def vectors(**more):
        asked = {"model": "counting", "weights": "random", "view": "image", "batch_size": 1}
        (view,) = fmb.embed(data=str(files), **asked, **more).values()
        return view.values.copy()

    before = vectors()
    path = files.parent / "7.h5"
    status = path.stat()
    with h5py.File(path, "r+") as file:
        file["flux"][...] *= 50
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert np.array_equal(vectors(), before)  # the change cannot be seen without reading
    seen = vectors(verify=True)
    assert (seen != before).any(axis=1).tolist() == [row == 7 for row in range(12)]
    counting.ids()
    assert np.array_equal(vectors(), seen)
    assert counting.ids() == []


@pytest.mark.parametrize("words", [("subset", "--limit", 9), ("pack", "--rows", 9)])
def test_a_copy_of_a_survey_has_the_vectors_of_its_source(embed, fmb, survey, tmp_path, words):
    embed(survey)
    made = fmb("data", words[0], survey, *words[1:], "--out", tmp_path / "copy")
    assert made.exit_code == 0, made.stderr
    encoded, printed = embed(tmp_path / "copy")
    assert encoded == []
    assert {row["vectors"] for row in printed} == {9 if words[0] == "subset" else N}
