"""Saved datasets that something is wrong with: each is refused in one line that names it."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pytest

from fmb import FmbError

N, PIXELS = 5, 4
SAID = {"spectrum": {"unit": "counts"}}


def columns(**others):
    grid = [[4000.0, 4001.0, 4002.0, 4003.0]] * N
    spectrum = [{"flux": [1.0] * PIXELS, "wavelength": w, "error": [0.5] * PIXELS} for w in grid]
    made = {"object_id": [str(row) for row in range(N)], "spectrum": spectrum, **others}
    return {name: value for name, value in made.items() if value is not None}


def save(folder, table, name="data-00000-of-00001.arrow"):
    """As `save_to_disk` does: a stream, and two files that describe it."""
    folder.mkdir(exist_ok=True)
    with pa.OSFile(str(folder / name), "wb") as out, pa.ipc.new_stream(out, table.schema) as stream:
        stream.write_table(table)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": {}}))
    return folder


def with_spectrum(**fields):
    return [{**one, **fields} for one in columns()["spectrum"]]


def one_row(**fields):
    rows = columns()["spectrum"]
    return [*rows[:-1], {**rows[-1], **fields}]


PICTURE = {"bytes": b"\x89PNG\r\n\x1a\nno picture", "path": None}
TABLES = {
    "ids through floats": ({"object_id": [0.0, 1.0, 2.0, 3.0, 4.0]}, r"'object_id'.*float"),
    "duplicate ids": (
        {"object_id": list("abbcd")},
        r"1 ids stand in more than one row",
    ),
    "missing ids": (
        {"object_id": ["a", None, "c", "d", "e"]},
        r"the id in row 1 is missing",
    ),
    "no ids": ({"object_id": None}, r"--set data.catalog.id=COLUMN"),
    "no input": ({"spectrum": None, "mag": [1.0] * N}, r"no column holds images or spectra"),
    "words for flux": ({"spectrum": with_spectrum(flux=["a"] * PIXELS)}, r"holds string, expected"),
    "no spectrum anywhere": ({"spectrum": with_spectrum(flux=None)}, r"no column holds|no row has"),
    "longer error than flux": (
        {"spectrum": one_row(error=[1.0] * (PIXELS + 1))},
        r"'spectrum/error' has (shape|a list of 5)",
    ),
    "flux in lists of lists": (
        {"spectrum": with_spectrum(flux=[[1.0] * PIXELS])},
        r"no column holds images or spectra|says? all of its inputs|does not say",
    ),
    "pictures that are none": (
        {"rgb_image": [PICTURE] * N},
        r"'rgb_image': a picture cannot be read",
    ),
    "pictures that are not there": (
        {"rgb_image": [{"bytes": None, "path": "gone.png"}] * N},
        r"gone.png: cannot be read: No such file",
    ),
    "cutouts of two sizes": (
        {"g_image": [[[1.0, 2.0]]] * (N - 1) + [[[1.0, 2.0, 3.0]]]},
        r"'g_image' has a list of 3 where shape \(1, 2\) has 2",
    ),
    "bands of two sizes": (
        {"g_image": [[[1.0, 2.0]]] * N, "r_image": [[[1.0]]] * N},
        r"'r_image' has shape .*1, 1\), 'g_image' has .*1, 2\)",
    ),
}


def read_all(opened, folder, **more):
    survey = opened(folder, inputs={**SAID, **more})
    survey.read(np.arange(len(survey)))


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_that_is_wrong_is_refused_by_what_is_wrong(kind, tmp_path, opened):
    others, told = TABLES[kind]
    folder = save(tmp_path / "saved", pa.table(columns(**others)))
    images = {"unit": "nmgy", "pixel_scale_arcsec": 0.2}
    said = {"images": images} if any(name[1:] == "_image" for name in others) else {}
    said |= {"rgb": {"pixel_scale_arcsec": 0.2}} if "rgb_image" in others else {}
    with pytest.raises(FmbError, match=told) as error:
        read_all(opened, folder, **said)
    assert "\n" not in str(error.value)
    assert str(folder) in str(error.value)


def test_spectra_without_wavelengths_are_no_input(tmp_path, opened):
    bare = [{"flux": [1.0], "error": [1.0]}] * N
    folder = save(tmp_path / "saved", pa.table(columns(spectrum=bare)))
    with pytest.raises(
        FmbError, match="no column holds images or spectra among object_id, spectrum"
    ):
        opened(folder, inputs=SAID)


def cut(folder):
    file = next(folder.glob("*/*.arrow"))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def no_arrow(folder):
    next(folder.glob("*/*.arrow")).write_text("<html>not found</html>")


def empty(folder):
    next(folder.glob("*/*.arrow")).write_bytes(b"")


def gone(folder):
    next(folder.glob("*/*.arrow")).unlink()


def state_without_files(folder):
    next(folder.glob("*/state.json")).write_text("{}")


def state_that_is_no_json(folder):
    next(folder.glob("*/state.json")).write_text("{")


def no_state(folder):
    next(folder.glob("*/state.json")).unlink()


def a_split_that_is_missing(folder):
    shutil.rmtree(folder / "test")


def no_splits(folder):
    (folder / "dataset_dict.json").write_text('{"splits": []}')


def splits_of_other_columns(folder):
    save(folder / "test", pa.table(columns(mag=[1.0] * N)))


TREES = {
    cut: r"\.arrow is damaged",
    no_arrow: r"\.arrow is damaged",
    empty: r"\.arrow",
    gone: r"\.arrow: no such file, named by state.json",
    state_without_files: r"state.json: names no files",
    state_that_is_no_json: r"state.json: is no JSON",
    no_state: r"state.json: cannot be read",
    a_split_that_is_missing: r"test/state.json: cannot be read",
    no_splits: r"dataset_dict.json: names no splits",
    splits_of_other_columns: r"has other columns than",
}


@pytest.mark.parametrize("damage", TREES, ids=lambda one: one.__name__)
def test_a_folder_that_is_damaged_is_refused_by_the_file(damage, tmp_path, opened):
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    ids = [f"t{row}" for row in range(N)]
    save(folder / "train", pa.table(columns()))
    save(folder / "test", pa.table(columns(object_id=ids)))
    assert len(opened(folder, inputs=SAID)) == 2 * N
    damage(folder)
    with pytest.raises(FmbError, match=TREES[damage]) as error:
        read_all(opened, folder)
    assert "\n" not in str(error.value)
    assert str(folder) in str(error.value)
