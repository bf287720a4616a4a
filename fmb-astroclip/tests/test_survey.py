"""The model through the command line: what a survey must have, and what it is told otherwise."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from safetensors.numpy import load_file

from fmb.cli import main

SURVEY = """
name = "tiny"
file = "tiny.h5"
catalog = {{ id = "object_id" }}

[inputs.{image}]
kind = "images"
flux = "image"
bands = {bands}
unit = "{image_unit}"
pixel_scale_arcsec = {scale}

[inputs.{spectrum}]
kind = "spectra"
flux = "flux"
ivar = "ivar"
wavelength = "wavelength"
unit = "{spectrum_unit}"
"""
USUAL = {
    "image": "legacysurvey",
    "bands": '["DES-G", "DES-R", "DES-I", "DES-Z"]',
    "image_unit": "nmgy",
    "scale": 0.262,
    "spectrum": "desi",
    "spectrum_unit": "1e-17 erg / (s cm2 Angstrom)",
}


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def survey(tmp_path) -> Callable[..., Path]:
    """survey.toml of six objects; keywords change the text and the arrays."""

    def write(*, side: int = 152, pixels: int = 300, edit=lambda arrays: None, **text: Any) -> Path:
        rng = np.random.default_rng(0)
        arrays = {
            "object_id": np.arange(6) + 11,
            "image": rng.normal(0.05, 0.02, (6, 4, side, side)).astype(np.float32),
            "flux": rng.normal(3, 1, (6, pixels)).astype(np.float32),
            "ivar": np.ones((6, pixels), dtype=np.float32),
            "wavelength": np.linspace(3600, 9824, pixels),
        }
        edit(arrays)
        with h5py.File(tmp_path / "tiny.h5", "w") as file:
            for name, values in arrays.items():
                file[name] = values
        path = tmp_path / "survey.toml"
        path.write_text(SURVEY.format(**{**USUAL, **text}))
        return path

    return write


def embed(*args: Any, weights: str | None = "random") -> Result:
    chosen = [] if weights is None else ["--weights", weights]
    command = ["embed", "--model", "astroclip", *chosen, *map(str, args)]
    result = CliRunner().invoke(main, command, prog_name="fmb")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def vectors(home: Path, view: str) -> np.ndarray:
    """Stored vectors in the order of ids, which the demo has as text."""
    parts = [load_file(path) for path in home.glob(f"embeddings/*/*-{view}-*/*.safetensors")]
    ids = [id_ for part in parts for id_ in part.get("id", part.get("id_utf8")).tolist()]
    values = np.concatenate([part["embedding"] for part in parts])
    good = [s == 0 for part in parts for s in part["state"].tolist()]
    ids = [id_ for id_, has in zip(ids, good, strict=True) if has]
    return values[sorted(range(len(ids)), key=ids.__getitem__)]


def test_images_and_spectra_become_three_views(survey, home):
    result = embed("--data", survey())
    assert result.exit_code == 0, result.stderr
    image, spectrum, joint = (vectors(home, view) for view in ("image", "spectrum", "joint"))
    assert image.shape == spectrum.shape == joint.shape == (6, 128)
    units = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (image, spectrum)]
    np.testing.assert_allclose(joint, (units[0] + units[1]) / 2, atol=1e-6)


@pytest.mark.parametrize(("weights", "width", "told"), [(None, 64, False), ("random", 128, True)])
def test_the_demo_survey_feeds_the_bundled_weights_unless_others_are_named(
    home, weights, width, told
):
    result = embed("--set", "data.n_objects=8", weights=weights)
    assert result.exit_code == 0, result.stderr
    assert ("random weights: a floor, not evidence" in result.stderr) is told
    assert vectors(home, "joint").shape[1] == width
    assert np.isfinite(vectors(home, "joint")).all()


REFUSED = {
    "another band set": (
        {"bands": '["DES-G", "DES-R", "DES-I", "DES-Y"]'},
        "legacysurvey has bands DES-G, DES-R, DES-I, DES-Y, the weights need DES-G, DES-R, DES-Z",
    ),
    "images in counts": ({"image_unit": "counts"}, "legacysurvey has unit 'counts', the weights"),
    "pictures": ({"image_unit": "display"}, "legacysurvey has unit 'display', the weights need"),
    "spectra in counts": ({"spectrum_unit": "counts"}, "desi has unit 'counts', the weights need"),
    "small images": ({"side": 143}, "is 143 x 143 pixels, the weights need at least 144"),
    "long spectra": ({"pixels": 8011}, "desi has 8011 pixels, the weights take at most 8010"),
    "another pixel scale": ({"scale": 0.168}, 'pixel scale 0.168", trained on 0.26-0.265"'),
    "another imager": ({"image": "hsc"}, "trained on legacysurvey"),
    "another spectrograph": ({"spectrum": "sdss"}, "trained on desi"),
    "few pixels": ({"pixels": 20}, "spectra of 20 px: these weights take 21 to 8010 px"),
}


@pytest.mark.parametrize(("changes", "told"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_fed_is_refused_in_one_line(survey, home, changes, told):
    result = embed("--data", survey(**changes), "--view", "joint")
    lines = [line for line in result.stderr.splitlines() if line.startswith("fmb:")]
    assert result.exit_code == 2, result.stderr
    assert len(lines) == 1
    assert told in lines[0]
    assert not list(home.glob("embeddings/*/*/part-*"))


@pytest.mark.parametrize("changes", [{"scale": 0.168}, {"image": "hsc"}, {"spectrum": "sdss"}])
def test_out_of_domain_input_works_when_allowed_and_is_tagged(survey, home, changes):
    result = embed("--data", survey(**changes), "--allow-out-of-domain")
    assert result.exit_code == 0, result.stderr
    assert "astroclip out of domain" in result.stderr
    assert np.isfinite(vectors(home, "joint")).all()


def test_units_of_the_survey_do_not_change_the_vectors(survey, home, tmp_path, monkeypatch):
    assert embed("--data", survey()).exit_code == 0
    usual = {view: vectors(home, view) for view in ("image", "spectrum")}
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "second"))

    def scaled(arrays):
        arrays["image"] *= np.float32(3631)
        arrays["flux"] /= 10
        arrays["ivar"] *= 100

    path = survey(image_unit="nJy", spectrum_unit="1e-16 erg / (s cm2 Angstrom)", edit=scaled)
    assert embed("--data", path).exit_code == 0
    for view, wanted in usual.items():
        found = vectors(tmp_path / "second", view)
        np.testing.assert_allclose(found, wanted, atol=1e-5 * np.abs(wanted).max())


def test_unusable_objects_are_counted_with_their_reason(survey, home):
    def damage(arrays):
        arrays["image"][1] = np.nan
        arrays["ivar"][2] = 0
        arrays["ivar"][3, :200] = 0

    result = embed("--data", survey(edit=damage))
    assert result.exit_code == 0, result.stderr
    told = set()
    for record in home.glob("embeddings/*/*/part-*.json"):
        told |= set(json.loads(record.read_text())["reasons"])
    assert told == {
        "band DES-G is absent",  # so the reader calls a band without a single value
        "no good pixel",
        "33% of the pixels are good, the least is 50%",
    }
    assert [len(vectors(home, view)) for view in ("image", "spectrum", "joint")] == [5, 4, 3]


def test_a_pickle_is_refused_with_the_way_out(survey, home, tmp_path):
    (tmp_path / "astroclip.ckpt").write_bytes(b"PK not a checkpoint")
    result = CliRunner().invoke(
        main,
        ["embed", "--model", "astroclip", "--data", str(survey()), "--weights",
         str(tmp_path / "astroclip.ckpt")],
        prog_name="fmb",
    )  # fmt: skip
    assert result.exit_code == 2
    assert "fmb weights convert" in result.stderr
