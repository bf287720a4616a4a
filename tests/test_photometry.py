"""A model that reads photometry makes vectors of it, lists of these, and figures that show it."""

import json

import h5py
import numpy as np
import pytest
import tomli_w
from pyarrow import parquet, table

import fmb as library

N = 60
PLUGIN = """
from fmb import Accepts, ModelSpec, WeightsSpec, hookimpl

FMB_API = 1
ACCEPTS = (Accepts(slot="sed", kind="columns", bands=("g", "r", "z"), units=("nJy",)),)


@hookimpl
def fmb_register_models():
    yield ModelSpec(
        name="colours", summary="Fluxes as they are", target="colour_parts:Colours",
        accepts=ACCEPTS, views={"sed": ("sed",)}, embedders=("mean",),
        weights=(WeightsSpec(name="random", summary="none", card="colour_parts:card"),),
    )
"""
PARTS = """
import numpy as np
import torch
from colour_plugin import ACCEPTS

from fmb import Columns, Inputs, Tokens
from fmb.weights import Card


def card(config, seed):
    return Card(model="colours", name="random", architecture={}, preprocessing={},
                accepts=ACCEPTS, random_seed=seed)


class Preparer:
    def __init__(self, sources):
        self.sources = sources

    def __call__(self, batch):
        data = batch.whole(self.sources["sed"], Columns)
        valid = np.isfinite(data.values).all(axis=1)
        why = ["" if good else "a band is missing" for good in valid]
        return Inputs(arrays={"sed": np.nan_to_num(data.values)}, valid={"sed": valid},
                      reasons={"sed": why})


class Colours:
    def __init__(self, config, *, seed, device, precision):
        pass

    def load(self, folder):
        pass

    def preparer(self, sources):
        return Preparer(dict(sources))

    def encode(self, inputs, views):
        return {view: Tokens(torch.tensor(inputs.arrays["sed"])[:, None]) for view in views}
"""


@pytest.fixture
def survey(tmp_path, monkeypatch):
    """Fluxes in a Parquet catalogue, a picture of each object, and the model that reads them."""
    site = tmp_path / "site"
    info = site / "fmb_colours-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "colour_plugin.py").write_text(PLUGIN)
    (site / "colour_parts.py").write_text(PARTS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fmb-colours\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[fmb]\ncolours = colour_plugin\n")
    monkeypatch.syspath_prepend(str(site))
    rng = np.random.default_rng(5)
    fluxes = {band: rng.uniform(10, 20, N) for band in ("g", "r", "z")}
    fluxes["g"][7] = 100.0  # blue beyond all others
    fluxes["r"][3] = np.nan
    for band in fluxes:
        fluxes[band][4] = np.nan
    ids = 10**18 + np.arange(N)
    columns = {"id": ids, **fluxes, "e": np.full(N, 0.5)}
    parquet.write_table(table(columns), tmp_path / "cat.parquet")
    with h5py.File(tmp_path / "pixels.h5", "w") as file:
        file["id"], file["image"] = ids, rng.normal(size=(N, 1, 8, 8)).astype("f4")
    phot = {
        "kind": "columns",
        "columns": ["g", "r", "z"],
        "errors": ["e", "e", "e"],
        "units": "nJy",
        "wavelength_aa": [4800, 6400, 9200],
    }
    cam = {"kind": "images", "file": "pixels.h5", "id": "id", "flux": "image", "bands": ["R"],
           "unit": "nJy", "pixel_scale_arcsec": 0.2}  # fmt: skip
    toml = {
        "name": "coloured",
        "catalog": {"file": "cat.parquet", "id": "id", "columns": "all"},
        "inputs": {"phot": phot, "cam": cam},
    }
    path = tmp_path / "survey.toml"
    path.write_text(tomli_w.dumps(toml))
    return path


RUN = ("run", "--model", "colours", "--weights", "random", "--detector", "gaussian", "--out", "it")


def test_the_object_of_a_strange_colour_is_the_strangest(fmb, survey):
    done = fmb(*RUN, "--data", survey)
    assert done.exit_code == 0, done.stderr
    assert library.open_run("it").top(1)["object_id"].tolist() == [10**18 + 7]
    named = fmb("data", "validate", survey, *RUN[1:5]).stdout
    assert f"a band is missing: 1 object, {10**18 + 3}" in " ".join(named.split())


def test_photometry_goes_with_the_run_and_into_its_figure(fmb, survey):
    assert fmb(*RUN, "--data", survey, "--plot", "outlier-grid").exit_code == 0
    run = library.open_run("it")
    batch = run.cutouts(run.lists[0], 3)
    assert set(batch.inputs) == {"phot", "cam"}
    data = batch.inputs["phot"]
    assert (data.units, data.wavelength_aa) == (("nJy",) * 3, (4800.0, 6400.0, 9200.0))
    assert 100.0 in data.values[:, 0].tolist()
    assert (data.errors == 0.5).all()
    assert list(run.folder.path.rglob("*outlier-grid*.png"))


def test_vectors_are_kept_while_the_fluxes_stay(fmb, survey):
    embed = ("embed", "--model", "colours", "--weights", "random", "--json", "--data", survey)

    def computed():
        return json.loads(fmb(*embed).stdout)[0]["computed"]

    assert computed() > 0
    assert computed() == 0
    catalog = parquet.read_table(survey.parent / "cat.parquet")
    parquet.write_table(catalog.append_column("new", [list(range(N))]), catalog_of(survey))
    assert computed() == 0
    fluxes = catalog.column("z").to_numpy().copy()
    fluxes[10] += 1
    at = catalog.column_names.index("z")
    parquet.write_table(catalog.set_column(at, "z", [fluxes]), catalog_of(survey))
    assert computed() == 1


def catalog_of(survey):
    return survey.parent / "cat.parquet"


def test_a_model_that_needs_other_bands_says_which(fmb, survey):
    survey.write_text(survey.read_text().replace('"z"', '"e"'))
    done = fmb(*RUN, "--data", survey)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "phot has bands g, r, e, the weights need g, r, z" in done.stderr
