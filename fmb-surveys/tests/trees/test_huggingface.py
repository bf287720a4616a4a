"""Folders that `datasets` saved are surveys: values as `datasets` reads them, None as absent."""

import io

import numpy as np
import pytest

from fmb import DataError
from fmb.datasets import select

datasets = pytest.importorskip("datasets")

SAID = {
    "euclid": {"unit": "count/s", "pixel_scale_arcsec": 0.1},
    "spectrum": {"unit": "counts"},
}
BANDS = ("VIS", "NISP_Y", "NISP_J", "NISP_H")


@pytest.fixture
def tree(trees):
    return trees / "euclid_desi_arrow"


@pytest.fixture
def rows(tree):
    """All rows of both splits, by `datasets` itself."""
    read = datasets.load_from_disk(str(tree))
    plain = {k: v.cast_column("RGB_image", datasets.Image(decode=False)) for k, v in read.items()}
    return [dict(row, split=name) for name in ("train", "test") for row in plain[name]]


def test_spectra_and_bands_are_those_of_datasets(tree, rows, opened):
    survey = opened(tree, inputs=SAID)
    assert survey.ids.tolist() == [row["object_id"] for row in rows]
    assert survey.catalog["targetid"].tolist() == [row["targetid"] for row in rows]
    batch = survey.read(np.arange(len(survey)))
    for got, at in enumerate(batch.rows["spectrum"]):
        spectrum, read = rows[at]["spectrum"], batch.inputs["spectrum"]
        n = len(spectrum["flux"])
        error = np.array(spectrum["error"])
        assert np.array_equal(read.flux[got, :n], np.array(spectrum["flux"], "f4"))
        assert np.array_equal(read.wavelength_aa[got, :n], spectrum["wavelength"])
        good = error > 0
        assert not read.mask[got, :n][good & np.isfinite(read.flux[got, :n])].any()
        assert read.mask[got, :n][~good].all()
        assert read.mask[got, n:].all()
        expected = np.divide(1.0, error**2, where=good, out=np.zeros(n))
        assert np.allclose(read.ivar[got, :n], expected, rtol=1e-6, atol=0)  # rounded to float32
    for got, at in enumerate(batch.rows["euclid"]):
        read = batch.inputs["euclid"]
        for band, name in enumerate(BANDS):
            cutout = rows[at][f"{name}_image"]
            assert read.band_valid[got, band] == (cutout is not None)
            if cutout is not None:
                assert np.array_equal(read.flux[got, band], np.array(cutout, "f4"))


def test_none_is_absent_and_never_filled(tree, rows, opened):
    survey = opened(tree, inputs=SAID)
    without = [at for at, row in enumerate(rows) if row["spectrum"] is None]
    assert without == [5]
    assert np.flatnonzero(~survey.inputs["spectrum"].have(28)).tolist() == without
    assert np.flatnonzero(~survey.inputs["euclid"].have(28)).tolist() == [3]
    sed = survey.catalog["sed_flux_vis"]
    assert np.flatnonzero(np.isnan(sed)).tolist() == [6]
    assert sed[0] == np.float32(rows[0]["sed_data"]["flux_vis"])


def test_splits_are_chosen_by_the_option(tree, rows, opened):
    survey = opened(tree, inputs=SAID)
    for split in ("train", "test"):
        expected = {row["object_id"] for row in rows if row["split"] == split}
        assert set(select(survey, split=split).ids.tolist()) == expected


def test_a_run_ends_in_a_list(tree, fmb):
    said = [
        word
        for name, keys in SAID.items()
        for key, value in keys.items()
        for word in ("--set", f"data.inputs.{name}.{key}={value}")
    ]
    words = ("--model", "astropt", "--weights", "tiny", "--detector", "gaussian", "--top", "3")
    done = fmb(
        "run", "--data", str(tree), *words, *said, "--split", "test", "--allow-out-of-domain"
    )
    assert done.exit_code == 0, done.output
    assert "the strangest of 8" in done.output


def test_bands_are_called_as_models_call_them(tree, opened):
    survey = opened(tree, inputs=SAID)
    assert survey.inputs["euclid"].bands == ("VIS", "NISP-Y", "NISP-J", "NISP-H")


def test_pictures_are_read_where_the_user_says_their_scale(tree, rows, opened):
    from PIL import Image

    assert "rgb" not in opened(tree, inputs=SAID).inputs
    survey = opened(tree, inputs={**SAID, "rgb": {"pixel_scale_arcsec": 0.1}})
    assert survey.inputs["rgb"].unit == "display"
    read = survey.read(np.array([27, 0]), ["rgb"]).inputs["rgb"]
    for got, at in enumerate((27, 0)):
        with Image.open(io.BytesIO(rows[at]["RGB_image"]["bytes"])) as picture:
            assert np.array_equal(read.flux[got], np.moveaxis(np.asarray(picture), -1, 0))


def test_a_pixel_scale_that_nothing_says_is_asked_for(tree, opened):
    with pytest.raises(DataError) as told:
        opened(tree, inputs={"spectrum": {"unit": "counts"}, "euclid": {"unit": "count/s"}})
    assert str(told.value).endswith("add --set data.inputs.euclid.pixel_scale_arcsec=ARCSEC")


@pytest.mark.parametrize("kind", ["plain", "arrays", "pictures by path"])
def test_datasets_of_other_features_are_read_too(kind, tmp_path, opened):
    from PIL import Image

    rng = np.random.default_rng(2)
    cutouts = rng.normal(size=(5, 1, 6, 7)).astype("f4")
    table = {"object_id": [-5, 3, 2**62, 7, 1]}
    if kind == "plain":
        table["g_image"] = cutouts.tolist()
        made = datasets.Dataset.from_dict(table)
    elif kind == "arrays":
        features = {"object_id": datasets.Value("int64")}
        features["g_image"] = datasets.Array2D((6, 7), "float32")
        made = datasets.Dataset.from_dict(
            {**table, "g_image": cutouts[:, 0]}, datasets.Features(features)
        )
    else:
        colours = rng.integers(0, 255, (5, 6, 7, 3)).astype("u1")
        for at, colour in enumerate(colours):
            Image.fromarray(colour).save(tmp_path / f"{at}.png")
        table["g_image"] = [str(tmp_path / f"{at}.png") for at in range(5)]
        made = datasets.Dataset.from_dict(table).cast_column("g_image", datasets.Image())
    made.save_to_disk(str(tmp_path / "saved"))
    name = "g" if kind == "pictures by path" else "images"
    said = {"pixel_scale_arcsec": 0.2} | ({} if name == "g" else {"unit": "nmgy"})
    survey = opened(tmp_path / "saved", inputs={name: said})
    assert survey.ids.tolist() == table["object_id"]
    flux = survey.read(np.array([4, 2])).inputs[name].flux
    expected = np.moveaxis(colours, -1, 1) if name == "g" else cutouts
    assert np.array_equal(flux, expected[[4, 2]])
