"""`fmb data show` and `fmb data validate` of surveys in files."""

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from fmb.cli import main


def fmb_data(*args):
    return CliRunner().invoke(main, ["data", *map(str, args)], prog_name="fmb")


def test_show_says_what_there_is(files):
    files.cam["unit"] = "display"
    result = fmb_data("show", files.write())
    assert result.exit_code == 0
    assert "sound: 6 objects" in result.stdout
    told = " ".join(result.stdout.split())
    assert "input cam kind images objects 6 pixels 8 x 9 unit display calibrated no" in told
    assert 'bands G, R scale 0.25"/pixel input spec kind spectra objects 6 pixels 40' in told
    assert "wavelengths 4000-4079 Angstrom" in told
    assert re.search(r"ra +float64 +deg", result.stdout)
    assert "warning: not photometric" in result.stdout


@pytest.mark.parametrize(
    ("unit", "calibrated"),
    [
        ("counts", "no"),
        ("count / s", "no"),
        ("electron / s", "no"),
        ("adu", "no"),
        ("nmgy", "yes"),
        ("MJy / sr", "yes"),
        ("photon / (s cm2 Angstrom)", "yes"),
    ],
)
def test_images_in_counts_are_not_calibrated(files, unit, calibrated):
    files.cam["unit"] = unit
    result = fmb_data("show", files.write(), "--json")
    cam, spec = json.loads(result.stdout)["inputs"]
    assert (cam["unit"], cam["calibrated"], spec["calibrated"]) == (unit, calibrated, "yes")


def test_show_as_json_keeps_ids_as_text(files):
    result = fmb_data("show", files.write(), "--json")
    values = json.loads(result.stdout)
    assert values["objects"] == 6
    assert values["ids"]["first"] == str(files.arrays["id"][0])
    assert [row["input"] for row in values["inputs"]] == ["cam", "spec"]
    assert values["identity"]["reader"] == "hdf5"


def test_validate_passes_with_warnings_and_fails_with_errors(files):
    files.arrays["image"][3, :, :4] = 0.0
    result = fmb_data("validate", files.write())
    assert result.exit_code == 0
    assert f"warning: cam: zero-filled: 1 object, {files.arrays['id'][3]} (50%)" in result.stdout
    assert "6 objects read, 1 with findings" in result.stdout
    files.arrays["ivar"][2] = 0.0
    files.arrays["image"][4] = np.nan
    files.arrays["wave"][5, 20] = 1.0
    result = fmb_data("validate", files.write())
    assert result.exit_code == 1
    ids = files.arrays["id"]
    assert f"error: spec: no good pixel: 1 object, {ids[2]}" in result.stdout
    assert f"error: cam: no pixel has a value: 1 object, {ids[4]}" in result.stdout
    assert f"error: spec: wavelengths are not ascending: 1 object, {ids[5]}" in result.stdout


def test_validate_as_json_lists_every_finding(files):
    files.arrays["image"][3] = np.nan
    result = fmb_data("validate", files.write(), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["findings"] == [
        {
            "object_id": str(files.arrays["id"][3]),
            "input": "cam",
            "problem": "no pixel has a value",
            "severity": "error",
            "fraction": None,
        }
    ]


def pictures(folder, broken=()):
    """A folder of PNG pictures 1 to 4, of which some hold nothing."""
    folder.mkdir()
    for name in range(1, 5):
        levels = np.random.default_rng(name).integers(0, 255, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(levels).save(folder / f"{name}.png")
        if name in broken:
            (folder / f"{name}.png").write_bytes(b"")
    return folder


def test_show_takes_what_the_files_do_not_say_and_tells_what_they_do(tmp_path):
    source = pictures(tmp_path / "cuts")
    refused = fmb_data("show", source)
    assert refused.exit_code == 2
    assert "--set data.inputs." in refused.stderr
    (key,) = re.findall(r"--set (data\.inputs\.[\w-]+\.pixel_scale_arcsec)", refused.stderr)
    told = fmb_data("show", source, "--set", f"{key}=0.396")
    assert told.exit_code == 0, told.stderr
    assert "taken from the files:" in told.stdout
    values = json.loads(fmb_data("show", source, "--set", f"{key}=0.396", "--json").stdout)
    assert values["inputs"][0]["scale"] == '0.396"/pixel'
    assert values["described"]
    assert all(line in " ".join(told.stdout.split()) for line in values["described"])


def test_a_setting_of_something_else_than_the_data_is_refused(files):
    for text in ("detector.flow.epochs=1", "data.where=mag<20", "nothing"):
        result = fmb_data("show", files.write(), "--set", text)
        assert result.exit_code == 2
        assert result.stderr.startswith(f"fmb: --set {text}: write data.KEY=VALUE")


def test_validate_as_json_lists_what_is_skipped(tmp_path):
    source = pictures(tmp_path / "cuts", broken=(2,))
    (key,) = re.findall(r"--set (data\.inputs\.\S+_arcsec)", fmb_data("show", source).stderr)
    result = fmb_data("validate", source, "--set", f"{key}=0.4", "--skip-bad", "--json")
    values = json.loads(result.stdout)
    assert values["objects"] == 4
    (line,) = (line for line in values["warnings"] if "2 is left out" in line)
    assert "2.png" in line


def test_a_missing_source_is_one_line(tmp_path):
    result = fmb_data("show", tmp_path / "gone.toml")
    assert result.exit_code == 2
    assert re.fullmatch(r"fmb: .*gone\.toml: no such file or folder\n", result.stderr)
