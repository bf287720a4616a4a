"""FITS files of one object: each array equals what astropy reads, nothing is scaled twice."""

import gzip
import os

import numpy as np
import pytest
from astropy.io import fits

from fmb import FmbError
from fmb_surveys.files.numbers import meant_numbers
from fmb_surveys.files.stores.object_files import object_files
from fmb_surveys.files.stores.object_fits import open_object

RNG = np.random.default_rng(3)
IMAGE = RNG.normal(size=(12, 14)).astype(np.float32)
COUNTS = RNG.integers(0, 2**16, (12, 14)).astype(np.uint16)


def scaled_image():
    hdu = fits.ImageHDU((IMAGE * 100).astype(np.int16), name="SCALED")
    hdu.header.update({"BSCALE": 0.5, "BZERO": 3.0, "BLANK": int(hdu.data[2, 3])})
    return hdu


def table():
    rows = 1
    columns = [
        fits.Column("flux", "12E", array=IMAGE[:1, :12], unit="Jy"),
        fits.Column("cube", "12D", dim="(3,4)", array=RNG.normal(size=(rows, 4, 3))),
        fits.Column("flag", "3L", array=np.array([[True, False, True]])),
        fits.Column("id", "K", array=np.array([2**62 + 1]), null=-1),
        fits.Column("big", "2J", bzero=2**31, array=np.array([[1, 2**32 - 1]], np.uint32)),
        fits.Column("scaled", "2I", array=np.array([[4, 9]])),
        fits.Column("ragged", "PE()", array=np.array([IMAGE[0, :5]], dtype=object)),
        fits.Column("name", "6A", array=np.array(["abc"])),
    ]
    return fits.BinTableHDU.from_columns(columns, name="SPEC")


@pytest.fixture(scope="module", autouse=True)
def content(tmp_path_factory):
    """Bytes of a FITS file with an array of each kind, made once."""
    images = [
        fits.ImageHDU(IMAGE, name="SCI"),
        fits.ImageHDU(COUNTS, name="COUNTS"),
        fits.CompImageHDU(COUNTS, name="PACKED"),
        fits.CompImageHDU(IMAGE, name="PACKEDFLOAT"),
        scaled_image(),
    ]
    path = tmp_path_factory.mktemp("fits") / "made.fits"
    fits.HDUList([fits.PrimaryHDU(), *images, table()]).writeto(path)
    for key, value in (("TSCAL6", 0.25), ("TZERO6", 7.0)):  # which astropy scales when it writes
        fits.setval(path, key, value=value, extname="SPEC")
    _made.append(path.read_bytes())


_made = []


def write(path):
    path.write_bytes(gzip.compress(_made[-1], 1) if path.suffix == ".gz" else _made[-1])
    return path


@pytest.mark.parametrize("ending", ["fits", "fits.gz", "fit", "fits.fz"])
@pytest.mark.parametrize(
    ("name", "extension", "column"),
    [
        ("SCI", "SCI", None),
        ("sci", "SCI", None),
        ("1", 1, None),
        ("COUNTS", "COUNTS", None),
        ("PACKED", "PACKED", None),
        ("PACKEDFLOAT", "PACKEDFLOAT", None),
        ("SCALED", "SCALED", None),
        ("SPEC/flux", "SPEC", "flux"),
        ("flux", "SPEC", "flux"),
        ("6/FLUX", "SPEC", "flux"),
        ("SPEC/cube", "SPEC", "cube"),
        ("SPEC/flag", "SPEC", "flag"),
        ("SPEC/big", "SPEC", "big"),
        ("SPEC/scaled", "SPEC", "scaled"),
        ("SPEC/ragged", "SPEC", "ragged"),
    ],
)
def test_an_array_means_what_astropy_reads(tmp_path, ending, name, extension, column):
    path = write(tmp_path / f"one.{ending}")
    with fits.open(path) as hdus:
        data = hdus[extension].data
        expected = np.array(data if column is None else data[column][0])
    with open_object(path) as file:
        stored, told = file.read(name), file.stated(name)
        assert file.shape(name) == stored.shape
        assert file.kind(name) == stored.dtype
    assert stored.dtype.isnative
    meant = meant_numbers(told, stored)
    assert meant.shape == expected.shape
    assert np.array_equal(meant, expected, equal_nan=expected.dtype.kind == "f")


def test_float32_and_whole_numbers_stay_what_they_are(tmp_path):
    with open_object(write(tmp_path / "one.fits")) as file:
        kinds = {n: file.kind(n) for n in ("SCI", "COUNTS", "SPEC/flux", "SPEC/big", "SPEC/id")}
        assert file.read("SPEC/id").tolist() == [2**62 + 1]
        assert file.stated("SPEC/id").missing == (-1,)
        assert file.stated("SPEC/flux").unit == "Jy"
    assert kinds == {
        "SCI": np.float32,
        "COUNTS": np.uint16,
        "SPEC/flux": np.float32,
        "SPEC/big": np.uint32,
        "SPEC/id": np.int64,
    }


def test_a_stored_number_with_a_scale_is_told_and_not_scaled(tmp_path):
    with open_object(write(tmp_path / "one.fits")) as file:
        stored, told = file.read("SCALED"), file.stated("SCALED")
    assert np.array_equal(stored, (IMAGE * 100).astype(np.int16))
    assert (told.scale, told.offset, told.missing) == (0.5, 3.0, (int(stored[2, 3]),))


def test_joined_names_are_laid_end_to_end(tmp_path):
    with open_object(write(tmp_path / "one.fits")) as file:
        assert np.array_equal(file.read("SCI+SCI"), np.concatenate([IMAGE, IMAGE], axis=1))
        assert file.shape("SCI+SCI") == (12, 28)


def test_stacked_names_are_bands(tmp_path):
    with open_object(write(tmp_path / "one.fits")) as file:
        assert np.array_equal(file.read("SCI&PACKEDFLOAT")[0], IMAGE)
        assert file.shape("SCI&SCI") == (2, 12, 14)
        assert file.shape("SCI+SCI&SCI+SCI") == (2, 12, 28)


def test_a_band_a_file_is_stacked_and_a_missing_one_has_no_value(tmp_path):
    one, other = (write(tmp_path / f"{band}.fits") for band in "gr")
    store = object_files([(one, other), (one, None)])
    read = store.read("SCI", np.array([1, 0]))
    assert store.shape("SCI") == (2, 2, 12, 14)
    assert np.isnan(read[0, 1]).all()
    assert np.array_equal(read[[0, 1, 1], [0, 0, 1]], np.stack([IMAGE] * 3))


def test_a_file_that_changes_is_read_again(tmp_path):
    path = write(tmp_path / "one.fits")
    with open_object(path) as file:
        before = file.read("SCI")
    path.unlink()
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(IMAGE + 1, name="SCI")]).writeto(path)
    with open_object(path) as file:
        assert np.array_equal(file.read("SCI"), before + 1)


def everything_of(path, name):
    with open_object(path) as file:
        return file.shape(name), file.stated(name), file.read(name)


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


def swap(path, old, new):
    content = path.read_bytes()
    assert len(old) == len(new)
    assert old in content
    path.write_bytes(content.replace(old, new))


def link_in_a_circle(path):
    path.unlink()
    path.symlink_to(path)


def closed(path):
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root reads everything")


@pytest.mark.parametrize(
    ("name", "change", "pattern"),
    [
        ("SCI", lambda p: p.unlink(), "cannot be read: No such file"),
        ("SCI", lambda p: p.write_bytes(b""), "not a FITS file"),
        ("SCI", lambda p: p.write_text("SIMPLE = T"), "not a FITS file"),
        ("SCI", lambda p: p.write_bytes(b"\x89HDF\r\n\x1a\n" * 9), "not a FITS file"),
        ("SCI", lambda p: p.write_bytes(gzip.compress(p.read_bytes())[:900]), "is damaged"),
        ("SCI", lambda p: cut(p, 100), "cut short"),
        ("SCI", lambda p: cut(p, 2880), "has no extension 'SCI'"),
        ("SCI", lambda p: cut(p, 6000), "cut short"),
        ("SPEC/flux", lambda p: cut(p, p.stat().st_size - 5760), "cut short|no extension|damaged"),
        ("SCI", link_in_a_circle, "cannot be read: Too many levels of symbolic links"),
        ("SCI", closed, "cannot be read: Permission denied"),
        ("SIC", lambda p: None, "has no extension 'SIC'; did you mean 'SCI'"),
        ("9", lambda p: None, "has no extension '9'"),
        ("PRIMARY", lambda p: None, "'PRIMARY' is empty"),
        ("SPEC", lambda p: None, "'SPEC' is a table; name a column: 'SPEC/flux'"),
        ("SCI/flux", lambda p: None, "'SCI' is no binary table"),
        ("SPEC/flx", lambda p: None, "'SPEC' has no column 'flx'; did you mean 'flux'"),
        ("SPEC/name", lambda p: None, "SPEC/name holds no numbers but '6A'"),
        ("SCI+COUNTS+SPEC/flux", lambda p: None, "puts together arrays of shapes"),
        ("SPEC/flux+SPEC/big", lambda p: None, "puts together arrays of another unit"),
        ("SPEC/flux", lambda p: swap(p, b"'12E     '", b"'13E     '"), "bytes a row"),
        ("SPEC/flux", lambda p: swap(p, b"'12E     '", b"'12Y     '"), "which is none of FITS"),
        ("SPEC/flux", lambda p: swap(p, b"'cube    '", b"'flux    '"), "two columns are called"),
        ("SPEC/scaled", lambda p: swap(p, b" 0.25", b" nope"), "SPEC/scaled: .*is no number"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_in_one_line(tmp_path, name, change, pattern):
    path = write(tmp_path / "one.fits")
    change(path)
    with pytest.raises(FmbError, match=pattern) as caught:
        everything_of(path, name)
    message = str(caught.value)
    assert "one.fits" in message
    assert "\n" not in message
    assert caught.value.exit_code == 2


def test_a_file_unlike_the_first_is_named(tmp_path):
    one, other = (write(tmp_path / f"{name}.fits") for name in "ab")
    swap(other, b"'Jy      '", b"'mJy     '")
    store = object_files([(one,), (other,)])
    with pytest.raises(FmbError, match=r"b\.fits: 'SPEC/flux' has another unit"):
        store.read("SPEC/flux", np.arange(2))
