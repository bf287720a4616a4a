"""Bad input: one clear line, exit 2 (1 where the request was sound), nothing finished on disk."""

from pathlib import Path

import numpy as np
import pytest
import torch

RUN = ("run", "--model", "astropt", "--weights", "random", "--detector", "gaussian")
IMAGE_ONLY = """
name = "pictures"
file = "tiny.h5"
[catalog]
id = "object_id"
[inputs.hst]
kind = "images"
flux = "image/flux"
bands = ["A", "B", "C", "D"]
unit = "uJy"
pixel_scale_arcsec = 0.1
"""


def refused(result, *words, code=2):
    """One line on stderr with all the words, the right exit code, no traceback."""
    lines = [line for line in result.stderr.splitlines() if line.startswith("fmb:")]
    assert result.exit_code == code, result.stderr + result.stdout
    assert len(lines) == 1, result.stderr
    for word in words:
        assert word in lines[0], lines[0]
    assert "Traceback" not in result.stderr


@pytest.fixture(autouse=True)
def _nothing_finished(request, home):
    yield
    assert not list(home.glob("runs/*/manifest.json"))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("run", "--model", "astrpt", *RUN[3:]), ("no model", "did you mean 'astropt'")),
        ((*RUN[:-1], "gausian"), ("no detector", "did you mean 'gaussian'")),
        ((*RUN, "--plot", "outlier-gird"), ("no plot", "did you mean 'outlier-grid'")),
        ((*RUN, "--embedder", "meen"), ("embedder", "did you mean 'mean'")),
        ((*RUN, "--view", "imag"), ("no view", "did you mean 'image'")),
        ((*RUN, "--detectr", "flow"), ("--detectr", "did you mean '--detector'")),
        ((*RUN, "--set", "model.astropt.preset=large"), ("model.astropt.preset",)),
        ((*RUN, "--set", "model.astropt.prest=small"), ("did you mean 'preset'",)),
        ((*RUN, "--set", "detector.gaussian.x=1"), ("detector.gaussian.x",)),
        ((*RUN, "--set", "run.sead=1"), ("did you mean 'seed'",)),
        ((*RUN, "--weights", "randon"), ("did you mean 'random'",)),
        ((*RUN, "--where", "magg < 3"), ("magg", "did you mean 'mag'")),
        ((*RUN, "--where", "mag < -3"), ("leaves none of 40",)),
        ((*RUN, "--limit", "0"), ("limit",)),
        ((*RUN, "--fit", "both"), ("run.fit", "cross-fit")),
        ((*RUN, "--device", "tpu9"), ("device 'tpu9'",)),
        ((*RUN, "--input", "image=desi"), ("image",)),
        ((*RUN, "--reference", "mag > 99"), ("--reference",)),
        ((*RUN, "--out", "a/b"), ("run name",)),
        ((*RUN, "--out", "a" * 201), ("run name has up to 200",)),
        ((*RUN, "--resume"), ("--out NAME",)),
        ((*RUN, "--resume", "--out", "never"), ("no run 'never'",)),
        (("run", "--model", "astropt", "--weights", "random"), ("--detector", "gaussian")),
        (("run", "--detector", "gaussian"), ("--model", "astropt")),
        (("run", "--model", "astropt", "--detector", "gaussian"), ("no default weights", "random")),
        (("rum",), ("did you mean 'run'",)),
        (("top", "nosuch"), ("no run is called 'nosuch'",)),
        (("cache", "remove", "nosuch"), ("nosuch",)),
        (("plugins", "info", "flo"), ("did you mean 'flow'",)),
        ((*RUN, "--set", "model.astropt.min_coverage=true"), ("= true: expected a number",)),
        ((*RUN, "--set", "run.seed=true"), ("run.seed = true: expected a number",)),
        ((*RUN, "--set", "embedder.mean.x=1"), ("embedder.mean.x",)),
    ],
)
def test_a_misspelt_request_is_answered_with_the_nearest_right_one(fmb, survey, args, words):
    data = ("--data", survey) if args[0] == "run" else ()
    refused(fmb(*args, *data), *words)


DEEP = {
    "signs": "-" * 900 + "mag < 3",
    "nots": "not " * 900 + "mag < 3",
    "brackets": "(" * 900 + "mag < 3" + ")" * 900,
    "terms": "+".join(["mag"] * 900) + " < 3",
}


@pytest.mark.parametrize("condition", DEEP.values(), ids=DEEP)
def test_a_condition_that_is_too_deep_is_one_short_line(fmb, survey, condition):
    result = fmb(*RUN, "--data", survey, "--where", condition)
    refused(result, "--where", "zwarn == 0")
    assert len(result.stderr) < 300


def test_a_long_condition_that_is_flat_is_taken(fmb, survey):
    condition = " and ".join(["mag > 0"] * 900)
    command = ("embed", *RUN[1:-2], "--data", survey, "--where", condition)
    assert fmb(*command, "--dry-run").exit_code == 0


LONG = "x" * 300


@pytest.mark.parametrize(
    "command",
    [
        (*RUN, "--data", f"{LONG}.toml"),
        (*RUN, "--config", LONG),
        (*RUN[:3], "--weights", LONG, *RUN[-2:]),
        ("detect", "--embeddings", f"{LONG}.npz", "--detector", "gaussian"),
        ("data", "show", LONG),
        ("weights", "verify", "astropt", LONG),
        ("weights", "convert", LONG, "out", "--model", "astroclip"),
        ("top", LONG),
    ],
)
def test_a_name_that_no_file_can_have_is_one_line(fmb, command):
    refused(fmb(*command), "xxx")


@pytest.mark.parametrize("option", ["--exclude", "--include", "--reference", "--out"])
def test_a_name_that_no_file_can_have_is_one_line_of_a_run_too(fmb, survey, option):
    refused(fmb(*RUN, "--data", survey, option, LONG), "xxx")


def with_text(column):
    """Has text in one row of a column of numbers."""

    def change(arrays):
        values = arrays[column].astype("S20")
        values[7] = b"12h30m"
        arrays[column] = values

    return change


@pytest.mark.parametrize("column", ["ra", "dec", "redshift"])
def test_text_in_a_column_of_numbers_is_named_with_its_row(fmb, make_survey, tmp_path, column):
    path = make_survey(tmp_path / "texts", change=with_text(column))
    told = f"column {column!r} holds '12h30m' in row"
    refused(fmb(*RUN, "--data", path), str(path.parent), told, "expected numbers")
    if column == "redshift":
        assert fmb("data", "show", path).exit_code == 0
    else:
        refused(fmb("data", "validate", path), told)
        refused(fmb("data", "show", path), told)


def test_text_in_a_column_of_a_role_is_named(fmb, make_survey, tmp_path):
    toml = make_survey(tmp_path / "sound").read_text()
    roles = '[catalog.roles]\nmagnitude = "mag"\n\n[inputs.euclid]'
    toml = toml.replace("[inputs.euclid]", roles)
    path = make_survey(tmp_path / "texts", toml=toml, change=with_text("mag"))
    refused(fmb(*RUN, "--data", path), str(path), "column 'mag' holds '12h30m'")


def test_text_in_a_catalogue_beside_vectors_is_named(fmb, tmp_path):
    vectors = np.random.default_rng(0).random((40, 3))
    np.savez(tmp_path / "v.npz", object_id=np.arange(40), v=vectors)
    rows = [f"{i},{'north' if i == 9 else i},0" for i in range(40)]
    (tmp_path / "c.csv").write_text("\n".join(["object_id,ra,dec", *rows]))
    command = ("detect", "--embeddings", "v.npz", "--catalog", "c.csv", "--detector", "gaussian")
    refused(fmb(*command), "c.csv", "column 'ra' holds 'north' in row 9")


def test_a_model_whose_inputs_the_survey_lacks_says_what_is_missing(fmb, make_survey, tmp_path):
    path = make_survey(tmp_path / "hst", toml=IMAGE_ONLY)
    refused(fmb(*RUN, "--data", path), "nothing in this survey can feed", "A, B, C, D", "VIS")


def test_a_view_without_its_input_says_what_the_survey_feeds(fmb, make_survey, tmp_path):
    path = make_survey(tmp_path / "hst", toml=IMAGE_ONLY)
    bands = "model.astropt.bands=['A', 'B']"
    refused(fmb(*RUN, "--data", path, "--set", bands, "--view", "joint"), "spectrum", "joint")


def test_an_image_smaller_than_the_patch_is_refused(fmb, make_survey, tmp_path):
    def shrink(arrays):
        arrays["image/flux"] = arrays["image/flux"][:, :, :8, :8]

    path = make_survey(tmp_path / "small", change=shrink)
    refused(fmb(*RUN, "--data", path, "--view", "image"), "8 x 8 pixels", "at least 16")


def truncated(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (Path.unlink, "no such file"),
        (truncated, "tiny.h5"),
        (lambda path: path.write_text("not HDF5"), "tiny.h5"),
    ],
)
def test_a_file_that_is_missing_truncated_or_no_hdf5_is_named(fmb, survey, damage, word):
    damage(survey.parent / "tiny.h5")
    refused(fmb(*RUN, "--data", survey), word)


def test_a_survey_that_is_not_there_is_named(fmb):
    refused(fmb(*RUN, "--data", "nowhere/survey.toml"), "nowhere/survey.toml")


CHANGES = {
    "lengths that differ": (lambda a: a.update(mag=a["mag"][:-1]), "mag"),
    "flux of another length": (
        lambda a: a.update({"spectrum/ivar": a["spectrum/ivar"][:, :-1]}),
        "spectrum/ivar",
    ),
    "duplicate ids": (lambda a: a["object_id"].__setitem__(1, a["object_id"][0]), "-50000"),
    "floating-point ids": (lambda a: a.update(object_id=a["object_id"] * 1.0), "floats"),
    "no rows": (
        lambda a: a.update({k: v[:0] for k, v in a.items() if k != "spectrum/wavelength"}),
        "the catalogue is empty",
    ),
    "descending wavelengths": (
        lambda a: a.update({"spectrum/wavelength": a["spectrum/wavelength"][::-1]}),
        "ascend",
    ),
    "negative wavelengths": (
        lambda a: a.update({"spectrum/wavelength": -a["spectrum/wavelength"]}),
        "wavelength",
    ),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_data_that_do_not_fit_are_refused(fmb, make_survey, tmp_path, kind):
    change, word = CHANGES[kind]
    path = make_survey(tmp_path / "bad", change=change)
    refused(fmb(*RUN, "--data", path), word)


def test_fewer_objects_than_folds_is_refused(fmb, make_survey, tmp_path):
    path = make_survey(tmp_path / "few", n=4)
    refused(fmb(*RUN, "--data", path), "4", "5 folds")


def test_constant_vectors_are_a_failure_not_a_result(fmb, tmp_path):
    np.savez(tmp_path / "flat.npz", object_id=np.arange(50), image=np.ones((50, 3), np.float32))
    args = ("detect", "--embeddings", "flat.npz", "--detector", "gaussian")
    refused(fmb(*args), "all 50 vectors are the same")


def test_weights_of_another_size_are_refused_with_the_tensors_named(fmb, survey, home, tmp_path):
    from safetensors.torch import save_file

    assert fmb("weights", "verify", "astropt", "random").exit_code == 0
    card = next((home / "weights").glob("*/card.json")).read_text()
    folder = tmp_path / "wrong"
    folder.mkdir()
    (folder / "card.json").write_text(card.replace('"random_seed": 0', '"random_seed": null'))
    save_file({"transformer.ln_f.weight": torch.zeros(7)}, folder / "model.safetensors")
    args = ("run", "--model", "astropt", "--detector", "gaussian", "--data", survey)
    refused(fmb(*args, "--weights", folder), "transformer.ln_f.weight")


def test_a_checkpoint_with_code_in_it_does_not_run(fmb, survey, tmp_path):
    class Payload:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"model": Payload()}, tmp_path / "evil.pt")
    args = ("run", "--model", "astropt", "--detector", "gaussian", "--data", survey)
    refused(fmb(*args, "--weights", tmp_path / "evil.pt"), "evil.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("folder", "code"), [("/proc/fmb", 1), ("blocked", 2)])
def test_a_workspace_that_cannot_be_written_is_named(
    fmb, survey, tmp_path, folder, code, monkeypatch
):
    (tmp_path / "blocked").write_text("a file, not a folder")
    monkeypatch.setenv("FMB_HOME", folder)
    refused(fmb(*RUN, "--data", survey), folder, "FMB_HOME", code=code)
