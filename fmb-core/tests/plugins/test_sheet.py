"""What `fmb plugins info` prints."""

import json

import pytest
from click.testing import CliRunner

from fmb.cli import main
from fmb.contract.config import Config
from fmb.contract.model import Accepts, ModelSpec, WeightsSpec
from fmb.plugins.registry import Component
from fmb.plugins.sheet import accepts_line, bibtex_lines, sheet_lines, sheet_values
from fmb.weights.listing import weights_line


class Options(Config):
    sampling: str = "coarse"
    """How finely, in words
    over two lines."""
    depth: int | None = None


SPEC = ModelSpec(
    name="toy",
    summary="A toy",
    target="none:None",
    config="tests:Options",
    accepts=(
        Accepts(
            slot="image",
            kind="images",
            bands=("G", "R"),
            subset=True,
            units=("nmgy",),
            min_size_px=96,
            pixel_scale_arcsec=(0.1, 0.3),
            instruments=("hsc",),
        ),
        Accepts(
            slot="spectrum",
            kind="spectra",
            wavelength_aa=(3600.0, 9824.0),
            max_pixels=8010,
            calibrated=True,
        ),
    ),
    views={"image": ("image",), "joint": ("image", "spectrum")},
    embedders=("mean", "last"),
    joint="unit-mean",
    aligned=True,
    weights=(
        WeightsSpec(name="random", summary="from a seed", card="toys:card"),
        WeightsSpec(
            name="base",
            summary="published",
            location="hf:some/toy",
            parameters=124_000_000,
            measured="2.1 GB, 1.7 s an object",
        ),
    ),
    source="arXiv:1234.56789",
    citation="@article{toy2024, title={Of Toys, and Play}, year={2024}}",
    licence="MIT",
)


class Toy(Component):
    def load_config(self):
        return Options


COMPONENT = Toy(SPEC, "toys", "fmb-toys", "1.0")


@pytest.fixture
def text(tmp_path):
    lines = sheet_lines(COMPONENT, lambda one: weights_line(COMPONENT, one, tmp_path / "home"))
    return "\n".join(lines)


@pytest.mark.parametrize(
    "line",
    [
        "model toy - A toy",
        "  licence     MIT",
        "  paper       arXiv:1234.56789, https://arxiv.org/abs/1234.56789",
        "  joint       from image and spectrum, the mean of their unit vectors",
        "              the views share one space: their cosine has a meaning",
        "  embedders   mean (default), last",
        "  random      from a seed; state: drawn",
        "  sampling    coarse  How finely, in words over two lines.",
        "  depth       not set",
        "  @article{toy2024,",
        "    title={Of Toys, and Play},",
        "    year={2024}",
        "  }",
    ],
)
def test_the_sheet_of_a_model_has_the_line(text, line):
    assert line in text.splitlines()


def test_published_weights_tell_size_cost_revision_and_state(text):
    told = " ".join(text.split())
    assert (
        "base published; 124 M parameters; 2.1 GB, 1.7 s an object; hf:some/toy,"
        " revision unverified; state: not downloaded"
    ) in told


def test_an_input_is_one_line():
    image, spectrum = SPEC.accepts
    assert accepts_line(image) == (
        "images in any of G, R; unit nmgy, or convertible; at least 96 x 96 px;"
        " 0.1-0.3 arcsec a pixel; trained on hsc"
    )
    assert accepts_line(spectrum) == ("spectra; calibrated; 3600-9824 Angstrom; at most 8010 px")
    assert accepts_line(Accepts(slot="image", kind="images")) == "images"


@pytest.mark.parametrize("text", ["arXiv:1", "@misc{a}", "@a{b, c={d}", "see {x}, y"])
def test_a_citation_that_is_no_entry_stays_as_it_is(text):
    assert bibtex_lines(text) == [text]


def test_the_values_of_a_sheet_are_json():
    values = json.loads(json.dumps(sheet_values(COMPONENT)))
    assert values["accepts"][0]["bands"] == ["G", "R"]
    assert values["views"] == {"image": ["image"], "joint": ["image", "spectrum"]}
    assert values["options"]["depth"] == {
        "name": "depth",
        "default": None,
        "choices": [],
        "about": "",
    }


def test_every_installed_component_has_a_sheet(tmp_path, monkeypatch):
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))
    listed = CliRunner().invoke(main, ["plugins", "list", "--json"])
    for item in json.loads(listed.stdout)["components"]:
        asked = ["plugins", "info", f"{item['plugin']}:{item['name']}", "--kind", item["kind"]]
        done = CliRunner().invoke(main, asked)
        assert done.exit_code == 0, done.output
        assert done.stdout.startswith(f"{item['kind']} {item['name']} - {item['summary']}\n")
        assert len(json.loads(CliRunner().invoke(main, [*asked, "--json"]).stdout)) == 1
    assert not (tmp_path / "home").exists()
