"""Folders of FITS cutouts: objects and bands by names and headers; what is not told is asked."""

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from click.testing import CliRunner

from fmb import FmbError
from fmb.cli import main
from fmb.datasets.opening import find_reader
from fmb.plugins.loading import load_plugins
from fmb_surveys.trees.cutouts import CutoutsConfig, open_cutouts

WCS = {
    "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CD1_1": -1e-4, "CD2_2": 1e-4,
    "CRPIX1": 6.5, "CRPIX2": 6.5, "CRVAL1": 150.0, "CRVAL2": 2.0,
}  # fmt: skip
"""0.36 arcsec a pixel; the reference is the middle of 12 x 12 pixels."""


def image(seed, shape=(12, 12), name="", kind="ImageHDU", **header):
    values = np.random.default_rng(seed).normal(3, 1, shape).astype(np.float32)
    hdu = getattr(fits, kind)(values, name=name) if name else getattr(fits, kind)(values)
    said = {"BUNIT": "nmgy", **WCS, **header}
    hdu.header.update({key: value for key, value in said.items() if value is not None})
    return hdu


def one_file(folder, name, *hdus):
    folder.mkdir(exist_ok=True)
    primary = [] if isinstance(hdus[0], fits.PrimaryHDU) else [fits.PrimaryHDU()]
    fits.HDUList([*primary, *hdus]).writeto(folder / name, overwrite=True)


def bands_a_file(
    folder, names=(1, 2), bands="gr", template="{name}_{band}.fits", shape=(12, 12), **header
):
    for name in names:
        for band in bands:
            path = template.format(name=name, band=band)
            seed = 10 * int(name) + ord(band)
            one_file(
                folder,
                path,
                image(
                    seed,
                    shape,
                    kind="PrimaryHDU",
                    **{"FILTER": band, "CRVAL1": 150.0 + name, **header},
                ),
            )


def opened(folder, tmp_path, **said):
    return open_cutouts(str(folder), CutoutsConfig(**said), cache=tmp_path / "cache")


def pixels(path, extension=0):
    with fits.open(path) as hdus:
        return np.array(hdus[extension].data)


@pytest.mark.parametrize(
    "template", ["{name}_{band}.fits", "{band}-{name}.fits", "cut.{name}.{band}.fits"]
)
def test_one_file_a_band_is_put_together_by_header_and_name(tmp_path, template):
    bands_a_file(tmp_path / "s", names=(1, 20), template=template)
    dataset = opened(tmp_path / "s", tmp_path)
    images = dataset.read(np.arange(2)).inputs["cutouts"]
    assert images.bands == ("g", "r")
    for at, name in enumerate((1, 20)):
        for b, band in enumerate("gr"):
            expected = pixels(tmp_path / "s" / template.format(name=name, band=band))
            assert np.array_equal(images.flux[at, b], expected)
    assert images.unit == "nmgy"
    assert images.pixel_scale_arcsec == 0.36
    named = [str(name) for name in dataset.ids]
    assert named == (["cut.1", "cut.20"] if template[0] == "c" else ["1", "20"])


def test_a_cube_has_the_bands_of_its_header(tmp_path):
    for name in (3, 4):
        cube = image(name, (3, 12, 12), kind="PrimaryHDU", BANDS="grz")
        one_file(tmp_path / "s", f"{name}.fits", cube)
    images = opened(tmp_path / "s", tmp_path).read(np.arange(2)).inputs["cutouts"]
    assert images.bands == ("g", "r", "z")
    assert np.array_equal(images.flux[1], pixels(tmp_path / "s" / "4.fits"))


@pytest.mark.parametrize(
    "header",
    [{"BAND0": "g", "BAND1": "r"}, {"FILTER1": "g", "FILTER2": "r"}, {"BANDS": "g, r"}],
)
def test_bands_of_a_cube_are_told_in_the_usual_ways(tmp_path, header):
    one_file(tmp_path / "s", "1.fits", image(1, (2, 12, 12), kind="PrimaryHDU", **header))
    assert opened(tmp_path / "s", tmp_path).inputs["cutouts"].bands == ("g", "r")


def test_extensions_are_bands_and_their_errors_are_used(tmp_path):
    for name in (1, 2):
        hdus = [image(10 * name + at, name=f"SCI_{band}") for at, band in enumerate("gr")]
        errors = [image(50 * name + at, name=f"ERR_{band}") for at, band in enumerate("gr")]
        one_file(tmp_path / "s", f"{name}.fits", *hdus, *errors, image(9, name="WHT"))
    dataset = opened(tmp_path / "s", tmp_path)
    images = dataset.read(np.arange(2)).inputs["cutouts"]
    assert images.bands == ("G", "R")  # astropy writes names of extensions in capital letters
    assert np.array_equal(images.flux[1, 1], pixels(tmp_path / "s" / "2.fits", "SCI_r"))
    error = pixels(tmp_path / "s" / "2.fits", "ERR_r").astype(float)
    expected = np.where(error > 0, 1 / error**2, 0)
    assert np.allclose(images.ivar[1, 1], expected, rtol=1e-6)
    assert "extensions not read, as they do not say what they mean: WHT" in dataset.described


@pytest.mark.parametrize(("name", "key"), [("IVAR", "ivar"), ("RMS", "error")])
def test_noise_is_used_only_where_its_name_says_what_it_is(tmp_path, name, key):
    one_file(
        tmp_path / "s", "1.fits", image(1, name="SCI", FILTER="g"), image(2, name=name, BUNIT=None)
    )
    dataset = opened(tmp_path / "s", tmp_path)
    stored = pixels(tmp_path / "s" / "1.fits", name).astype(float)
    expected = stored if key == "ivar" else np.where(stored > 0, 1 / stored**2, 0)
    ivar = dataset.read(np.arange(1)).inputs["cutouts"].ivar[0, 0]
    assert np.allclose(ivar, expected, rtol=1e-6)


def test_packed_files_are_read_like_others(tmp_path):
    for name in (1, 2):
        one_file(tmp_path / "s", f"{name}.fits.fz", image(name, kind="CompImageHDU", FILTER="g"))
    images = opened(tmp_path / "s", tmp_path).read(np.arange(2)).inputs["cutouts"]
    assert np.array_equal(images.flux[0, 0], pixels(tmp_path / "s" / "1.fits.fz", 1))


def test_a_band_without_a_file_is_missing_and_others_go_on(tmp_path):
    bands_a_file(tmp_path / "s")
    (tmp_path / "s" / "1_r.fits").unlink()
    images = opened(tmp_path / "s", tmp_path).read(np.arange(2)).inputs["cutouts"]
    assert images.band_valid.tolist() == [[True, False], [True, True]]


def test_positions_are_those_of_the_middle_by_the_wcs(tmp_path):
    bands_a_file(tmp_path / "s")
    catalog = opened(tmp_path / "s", tmp_path).catalog
    assert catalog["ra"].tolist() == pytest.approx([151, 152], abs=1e-9)
    assert catalog["dec"].tolist() == pytest.approx([2, 2], abs=1e-9)


def test_what_was_taken_is_told(tmp_path):
    bands_a_file(tmp_path / "s", MAGZERO=22.5)
    one_file(tmp_path / "s", "1_g_wht.fits", image(5, kind="PrimaryHDU"))
    told = opened(tmp_path / "s", tmp_path).described
    assert told == [
        "object_id: names of files without the band in their headers",
        "bands: g, r, one a file",
        "unit: nmgy, by BUNIT",
        'pixels: 0.36" by the WCS; north up, east to the left of it',
        "zero point, not applied: MAGZERO = 22.5",
        "4 files of 2 objects",
        "1 files are not read: they go with a picture by their names",
    ]


def test_a_catalogue_says_which_objects_there_are(tmp_path):
    bands_a_file(tmp_path / "s", names=(1, 2))
    table = pd.DataFrame({"ID": [2, 3], "mag": [20.0, 21.0]})
    table.to_csv(tmp_path / "s" / "cat.csv", index=False)
    said = {"table": "cat.csv", "id": "ID", "catalog": {"roles": {"magnitude": "mag"}}}
    dataset = opened(tmp_path / "s", tmp_path, **said)
    assert dataset.ids.tolist() == [2, 3]
    assert dataset.inputs["cutouts"].present.tolist() == [True, False]
    assert dataset.catalog["mag"].tolist() == [20, 21]
    assert any("1 rows belong to no object" in line for line in dataset.warnings)


def change_one(**header):
    return lambda s: one_file(
        s, "2_r.fits", image(1, kind="PrimaryHDU", **{"FILTER": "r", **header})
    )


def again(shape):
    return lambda s: one_file(s, "2_r.fits", image(1, shape, kind="PrimaryHDU", FILTER="r"))


def cut(s):
    (s / "2_r.fits").write_bytes((s / "2_r.fits").read_bytes()[:2880])


def table_only(s):
    for path in s.iterdir():
        path.unlink()
    column = fits.Column("a", "J", array=np.arange(3))
    one_file(s, "cat.fits", fits.BinTableHDU.from_columns([column]))


def everything(**header):
    return lambda s: bands_a_file(s, **header)


def cubes(**header):
    def change(s):
        for path in s.iterdir():
            path.unlink()
        one_file(s, "1.fits", image(1, (2, 12, 12), kind="PrimaryHDU", **header))

    return change


def unit(text):
    return {"inputs": {"cutouts": {"unit": text}}}


@pytest.mark.parametrize(
    ("change", "said", "pattern"),
    [
        (cut, {}, r"2_r.fits: the FITS file is cut short"),
        (lambda s: (s / "2_r.fits").write_bytes(b""), {}, r"2_r.fits: not a FITS file"),
        (lambda s: (s / "3_r.fits").symlink_to(s / "3_r.fits"), {}, r"Too many levels"),
        (change_one(BUNIT="Jy"), {}, r"the unit of an image is 'nmgy' in .* and 'Jy' in .*2_r"),
        (change_one(BUNIT=None), {}, r"the unit of an image is .* and 'not told' in .*2_r"),
        (change_one(BUNIT="florins"), {}, r"'florins' in .*2_r.fits"),
        (everything(BUNIT=None), {}, r"does not tell the unit of an image: say it, as in --set"),
        (everything(BUNIT="florins"), {}, r"'florins', which astropy does not know"),
        (None, unit("Jy"), r"an image is in 'nmgy' by what the file says, in 'Jy' by data.inputs"),
        (change_one(CD1_1=-2e-4, CD2_2=2e-4), {}, r'2_r.fits: has 0.72" a pixel, .* 0.36"'),
        (change_one(CD1_1=-2e-4), {}, r'its pixels are 0.72" by 0.36", no squares'),
        (change_one(CTYPE1=None), {}, r"2_r.fits: has no WCS that tells its scale: say it"),
        (None, {"inputs": {"cutouts": {"pixel_scale_arcsec": 0.2}}}, r'0.36" .* its WCS, 0.2"'),
        (again((12, 13)), {}, r"2_r.fits: has images of shape \(12, 13\) .* of \(12, 12\)"),
        (change_one(FILTER="g"), {}, r"2_r.fits: its name has no 'g', the band in its header"),
        (change_one(FILTER=None), {}, r"2_r.fits: no band is told by its header, as in other"),
        (everything(FILTER=None), {}, r"its header does not tell its bands: say them with --set"),
        (cubes(), {}, r"its header does not tell its bands"),
        (cubes(BANDS="grz"), {}, r"its header does not tell its bands"),
        (cubes(BANDS="gr"), {"bands": ("g", "i")}, r"g, r by BANDS, data.bands says g, i; correct"),
        (cubes(), {"bands": ("g", "r", "i")}, r"its images are 2"),
        (None, {"bands": ("g", "y")}, r"no file is of band 'y'; there are g, r"),
        (None, {"pattern": "{band}.fits"}, r"has no {id}, as"),
        (None, {"pattern": "{id}-{band}.fits"}, r"1_g.fits: its name does not fit data.pattern"),
        (None, {"pattern": "{id}_*.fits"}, r"1_g.fits and .*1_r.fits are both the file of 1"),
        (table_only, {}, r"no FITS file in it has an image; a table is described in a survey.toml"),
        (None, {"table": "cat.csv"}, r"a catalogue goes with its column of ids"),
        (None, {"table": "cat.csv", "id": "ID"}, r"cat.csv: no such file, which data.table names"),
        (
            lambda s: one_file(s, "2_r.fits", image(1, name="WHT")),
            {},
            r"2_r.fits: has no picture, only WHT",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_line(tmp_path, change, said, pattern):
    bands_a_file(tmp_path / "s")
    if change:
        change(tmp_path / "s")
    with pytest.raises(FmbError, match=pattern) as caught:
        opened(tmp_path / "s", tmp_path, **said).read(np.arange(1))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_folder_goes_from_files_to_a_list(tmp_path, monkeypatch):
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))
    bands_a_file(tmp_path / "s", names=range(1, 13), shape=(32, 32))
    words = ["run", "--model", "astropt", "--weights", "random", "--detector", "gaussian"]
    words += ["--data", str(tmp_path / "s"), "--set", "model.astropt.bands=['g']"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.stderr
    [scores] = (tmp_path / "home" / "runs").glob("*/scores/astropt.mean.image.gaussian.parquet")
    assert pd.read_parquet(scores)["score"].notna().sum() == 12


def reader_of(path):
    return find_reader(str(path), None, load_plugins().registry).spec.name


@pytest.mark.parametrize(
    ("marker", "reader"),
    [
        ("spec-0001-00001-0001.fits", "sdss"),
        ("coadd-main.fits", "desi"),
        ("spec1d.1208.055.1.fits", "deep2"),
        ("1_g.fits", "fits-images"),
    ],
)
def test_a_folder_is_known_by_how_its_files_are_called(tmp_path, marker, reader):
    (tmp_path / marker).write_bytes(b"")
    (tmp_path / "more.fits").write_bytes(b"")
    assert reader_of(tmp_path) == reader
    assert reader_of(tmp_path / marker) == reader


def test_a_survey_toml_goes_before_the_files_it_describes(tmp_path):
    (tmp_path / "survey.toml").write_text("")
    (tmp_path / "catalog.fits").write_bytes(b"")
    assert reader_of(tmp_path) == "hdf5"
