"""Surveys in one FITS file: vector columns and images whose first axis is the objects."""

import gzip
import pickle

import numpy as np
import pytest
import tomli_w
from astropy.io import fits

from fmb import FmbError
from fmb_surveys.files.reader import FilesConfig, open_survey_file

N, PIXELS = 7, 30
RNG = np.random.default_rng(5)
FLUX = RNG.normal(5, 1, (N, PIXELS)).astype(np.float32)
IVAR = RNG.uniform(0.5, 1, (N, PIXELS)).astype(np.float32)
COUNTS = RNG.integers(-900, 900, (N, PIXELS)).astype(np.int16)
IDS = 2**62 + np.arange(N)
LENGTHS = np.array([30, 12, 30, 7, 30, 30, 1])
TOML = {
    "name": "one",
    "file": "one.fits",
    "catalog": {"id": "ID", "redshift": "Z", "columns": "all", "table": "SPEC"},
    "inputs": {
        "spec": {
            "kind": "spectra",
            "flux": "SPEC/FLUX",
            "ivar": "SPEC/IVAR",
            "wavelength": "WAVE",
            "unit": "Jy",
        }
    },
}


def write(path):
    ragged = np.array([FLUX[row, :n] for row, n in enumerate(LENGTHS)], dtype=object)
    other = fits.BinTableHDU.from_columns([fits.Column("X", "J", array=np.arange(3))], name="NOTES")
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("ID", "K", array=IDS),
            fits.Column("Z", "E", array=np.arange(N) / 10),
            fits.Column("FLUX", f"{PIXELS}E", array=FLUX, unit="Jy"),
            fits.Column("IVAR", f"{PIXELS}E", array=IVAR),
            fits.Column("COUNTS", f"{PIXELS}I", array=COUNTS, null=int(COUNTS[2, 3])),
            fits.Column("RAGGED", "PE()", array=ragged),
            fits.Column("RAGGEDWAVE", "PE()", array=[100 + np.arange(n) for n in LENGTHS]),
        ],
        name="SPEC",
    )
    wave = fits.ImageHDU(4000.0 + np.arange(PIXELS), name="WAVE")
    row = fits.ImageHDU(4000.0 + np.arange(PIXELS)[None], name="ROW")
    cube = fits.ImageHDU(np.stack([FLUX[:, :16]] * 2, axis=1).reshape(N, 2, 4, 4), name="CUBE")
    fits.HDUList([fits.PrimaryHDU(), other, table, wave, cube, row]).writeto(path)


@pytest.fixture
def survey(tmp_path):
    """Write a survey.toml with changes beside one.fits, and open it."""
    write(tmp_path / "one.fits")

    def opened(spec=None, catalog=None, **top):
        inputs = {"spec": {**TOML["inputs"]["spec"], **(spec or {})}}
        inputs["spec"] = {k: v for k, v in inputs["spec"].items() if v is not None}
        toml = {**TOML, "catalog": {**TOML["catalog"], **(catalog or {})}, "inputs": inputs, **top}
        (tmp_path / "survey.toml").write_text(tomli_w.dumps(toml))
        return open_survey_file(str(tmp_path), FilesConfig(), cache=tmp_path / "cache")

    return opened


def read(dataset, rows):
    return dataset.read(np.asarray(rows)).inputs["spec"]


def test_rows_equal_what_astropy_reads(survey, tmp_path):
    dataset = survey()
    rows = [5, 0, 5, 3]
    spectra = read(dataset, rows)
    with fits.open(tmp_path / "one.fits") as hdus:
        assert np.array_equal(spectra.flux, hdus["SPEC"].data["FLUX"][rows])
        assert np.array_equal(spectra.ivar, hdus["SPEC"].data["IVAR"][rows])
        assert np.array_equal(spectra.wavelength_aa, hdus["WAVE"].data)
    assert dataset.ids.tolist() == IDS.tolist()
    assert dataset.catalog["redshift"].tolist() == (np.arange(N) / 10).astype(np.float32).tolist()
    again = pickle.loads(pickle.dumps(dataset))
    assert np.array_equal(read(again, rows).flux, spectra.flux)


@pytest.mark.parametrize("name", ["one.fits.gz", "one.fits.fz", "one.fit"])
def test_packed_files_are_read_like_others(survey, tmp_path, name):
    content = (tmp_path / "one.fits").read_bytes()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert np.array_equal(read(survey(file=name), [1, 2]).flux, FLUX[[1, 2]])


def test_null_of_a_whole_number_is_masked(survey):
    spectra = read(survey({"flux": "SPEC/COUNTS", "unit": "counts", "ivar": None}), range(N))
    assert np.array_equal(spectra.mask, COUNTS[2, 3] == COUNTS)
    assert np.array_equal(spectra.flux[~spectra.mask], COUNTS[~spectra.mask])


def test_rows_of_several_lengths_are_padded_and_masked(survey):
    said = {"flux": "SPEC/RAGGED", "wavelength": "SPEC/RAGGEDWAVE", "ivar": None}
    for pixels in (None, 33):
        spectra = read(survey({**said, "pixels": pixels}), [3, 0, 6])
        n = pixels or 30
        assert spectra.flux.shape == (3, n)
        there = np.arange(n) < LENGTHS[[3, 0, 6]][:, None]
        assert np.array_equal(spectra.mask, ~there)
        assert np.array_equal(spectra.flux[there], FLUX[[3, 0, 6]][there[:, :30]])


def test_an_image_with_the_objects_first_is_an_input_too(survey):
    images = {"kind": "images", "flux": "CUBE", "bands": ["g", "r"], "unit": "nmgy"}
    dataset = survey(inputs={"cam": {**images, "pixel_scale_arcsec": 0.2}})
    flux = dataset.read(np.array([4])).inputs["cam"].flux
    assert np.array_equal(flux[0, 1].ravel(), FLUX[4, :16])


def test_a_grid_in_an_image_of_one_row_is_that_of_all(survey):
    spectra = read(survey(spec={"wavelength": "ROW"}), [6, 0, 2])
    assert spectra.wavelength_aa.tolist() == [4000.0 + pixel for pixel in range(PIXELS)]
    assert np.array_equal(spectra.flux, FLUX[[6, 0, 2]])


def test_the_first_table_is_the_catalogue_where_none_is_named(survey):
    with pytest.raises(FmbError, match="'ID'"):
        survey(catalog={"table": ""})  # the first has no ids
    assert survey(catalog={"table": "2"}).ids.tolist() == IDS.tolist()


def cut(path):
    path.write_bytes(path.read_bytes()[: 2880 * 5])


def csv(path):
    (path.parent / "cat.csv").write_text("ID,Z\n1,0.1\n")


@pytest.mark.parametrize(
    ("change", "said", "pattern"),
    [
        (lambda p: p.unlink(), {}, r"one.fits: no such file"),
        (lambda p: p.write_bytes(b""), {}, r"one.fits"),
        (cut, {"catalog": {"table": "NOTES", "id": "X", "redshift": "X"}}, r"cut short"),
        (None, {"catalog": {"table": "SPAC"}}, r"has no table 'SPAC'; it has NOTES, SPEC"),
        (None, {"catalog": {"table": "WAVE"}}, r"has no table 'WAVE'"),
        (csv, {"catalog": {"file": "cat.csv"}}, r"cat.csv: has no extensions, as FITS has"),
        (None, {"catalog": {"file": "a.h5"}}, r"table = 'SPEC' names an extension"),
        (None, {"catalog": {"id": "Z"}}, r"ids are floats"),
        (None, {"catalog": {"id": "FLUX"}}, r"FLUX"),
        (None, {"catalog": {"redshift": "ZZ"}}, r"'ZZ'; did you mean 'Z'"),
        (None, {"spec": {"flux": "SPEC/FLX"}}, r"'SPEC' has no column 'FLX'; did you mean"),
        (None, {"spec": {"flux": "SPAC/FLUX"}}, r"has no extension 'SPAC'; did you mean 'SPEC'"),
        (None, {"spec": {"flux": "SPEC"}}, r"'SPEC' is a table; name a column"),
        (None, {"spec": {"flux": "WAVE"}}, r"has 30 rows, the catalogue has 7"),
        (None, {"spec": {"flux": "X"}}, r"has 3 rows, the catalogue has 7"),
        (None, {"spec": {"unit": "mJy"}}, r"is in 'Jy' by what the file says, in 'mJy' by unit"),
        (None, {"spec": {"ivar": "SPEC/Z"}}, r"'SPEC/Z' has shape"),
        (None, {"spec": {"wavelength": "SPEC/RAGGEDWAVE", "flux": "SPEC/RAGGED", "ivar": None,
                         "pixels": 20}}, r"has a row of 30 values; set pixels = 30"),
        (None, {"spec": {"mask": "SPEC/Z", "mask_bits": [3]}}, r"SPEC/Z"),
        (None, {"spec": {"mask": "SPEC/IVAR", "mask_bits": [3]}}, r"holds float32"),
        (None, {"spec": {"mask_bits": [3]}}, r"mask_bits are bits of mask"),
        (None, {"spec": {"format": "fist"}}, r"no format is called 'fist'; did you mean 'fits'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_line(survey, tmp_path, change, said, pattern):
    if change:
        change(tmp_path / "one.fits")
    with pytest.raises(FmbError, match=pattern) as caught:
        read(survey(**said), [0])
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
