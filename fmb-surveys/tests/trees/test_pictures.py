"""Folders of JPEG and PNG pictures: the numbers they hold, their ids, and what is refused."""

import os
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fmb import FmbError, build
from fmb_surveys.trees.pictures import PicturesConfig, open_pictures

SCALE = {"inputs": {"sdss": {"pixel_scale_arcsec": 0.396}}}
RNG = np.random.default_rng(3)
COLOUR = RNG.integers(0, 256, (3, 5, 7), dtype=np.uint8)
GREY = RNG.integers(0, 2**16, (5, 7), dtype=np.uint16)


def png(path: Path, values: np.ndarray, colour: int = 2, *, size=None, more: bytes = b"") -> None:
    """A PNG file by the letter of its standard, without a library that writes pictures."""
    height, width = values.shape[:2]
    rows = values.astype(values.dtype.newbyteorder(">")).reshape(height, -1)
    body = b"".join(b"\0" + row.tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", *(size or (width, height)), 8 * values.itemsize, colour, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(body))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more + data + chunk(b"IEND"))


def chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@pytest.fixture
def folder(tmp_path):
    """Three colour pictures, whose names are numbers of 19 digits."""
    made = tmp_path / "cutouts"
    made.mkdir()
    for row in range(3):
        png(made / f"{2**62 + 3 - row}.png", np.moveaxis(COLOUR + np.uint8(row), 0, -1))
    return made


def opened(folder, settings=SCALE):
    config = build(PicturesConfig, settings, "data")
    return open_pictures(str(folder), config, cache=folder.parent / "cache")


def test_a_picture_holds_the_levels_of_its_file_and_its_name_is_the_id(folder):
    dataset = opened(folder)
    assert dataset.ids.tolist() == [2**62 + 1, 2**62 + 2, 2**62 + 3]
    batch = dataset.read(np.array([2, 0]))
    assert np.array_equal(batch.inputs["sdss"].flux, np.stack([COLOUR, COLOUR + np.uint8(2)]))
    info = dataset.inputs["sdss"]
    assert (info.bands, info.shape, info.unit) == (("R", "G", "B"), (5, 7), "display")
    assert info.pixel_scale_arcsec == 0.396
    assert dataset.warnings[0].startswith("not photometric")


def test_16_bits_of_grey_are_read_whole(tmp_path):
    (tmp_path / "p").mkdir()
    png(tmp_path / "p" / "a.png", GREY, 0)
    dataset = opened(tmp_path / "p")
    assert dataset.inputs["sdss"].bands == ("grey",)
    assert np.array_equal(dataset.read(np.array([0])).inputs["sdss"].flux[0, 0], GREY)


def test_an_orientation_in_exif_turns_nothing_and_the_reader_says_so(tmp_path):
    (tmp_path / "p").mkdir()
    turned = Image.Exif()
    turned[0x0112] = 6  # a quarter turn
    picture = Image.fromarray(np.moveaxis(COLOUR, 0, -1))
    picture.save(tmp_path / "p" / "a.jpg", exif=turned, quality=95)
    dataset = opened(tmp_path / "p")
    with Image.open(tmp_path / "p" / "a.jpg") as plain:
        expected = np.moveaxis(np.asarray(plain), -1, 0)
    assert np.array_equal(dataset.read(np.array([0])).inputs["sdss"].flux[0], expected)
    assert "an orientation in EXIF is not applied" in " ".join(dataset.described)


def test_an_opaque_alpha_band_is_left_out_and_the_reader_says_so(tmp_path):
    (tmp_path / "p").mkdir()
    opaque = np.concatenate([np.moveaxis(COLOUR, 0, -1), np.full((5, 7, 1), 255, np.uint8)], 2)
    png(tmp_path / "p" / "a.png", opaque, 6)
    dataset = opened(tmp_path / "p")
    assert np.array_equal(dataset.read(np.array([0])).inputs["sdss"].flux[0], COLOUR)
    assert "alpha" in " ".join(dataset.described)


def test_a_catalogue_beside_gives_ids_columns_and_who_has_no_picture(folder):
    ids = [2**62 + 2, 2**62 + 9, 2**62 + 1]
    table = pd.DataFrame({"objid": ids, "image": [f"old/{i}.png" for i in ids], "z": [0.1, 0.2, 1]})
    table.to_csv(folder / "cat.csv", index=False)
    dataset = opened(folder)
    assert dataset.ids.tolist() == ids
    assert dataset.catalog["z"].tolist() == [0.1, 0.2, 1]
    batch = dataset.read(np.arange(3))
    assert batch.rows["sdss"].tolist() == [0, 2]
    assert np.array_equal(
        batch.inputs["sdss"].flux, np.stack([COLOUR + np.uint8(1), COLOUR + np.uint8(2)])
    )
    told = " ".join(dataset.described)
    assert "column 'objid' of cat.csv" in told
    assert f"1 pictures stand in no row of cat.csv, first {2**62 + 3}.png" in told


def test_another_column_is_the_id_where_the_user_says_so(folder):
    names = sorted(path.name for path in folder.iterdir())
    pd.DataFrame({"name": ["a", "b", "c"], "file": names}).to_parquet(folder / "cat.parquet")
    dataset = opened(folder, SCALE | {"catalog": {"id": "name"}})
    assert dataset.ids.tolist() == ["a", "b", "c"]
    assert dataset.read(np.arange(3)).rows["sdss"].tolist() == [0, 1, 2]


def jpeg(mode):
    def write(path):
        Image.new(mode, (7, 5)).save(path, "JPEG")

    return write


def edited(change):
    """The sound picture with its bytes changed."""

    def write(path):
        png(path, np.moveaxis(COLOUR, 0, -1))
        path.write_bytes(change(path.read_bytes()))

    return write


def animated(path):
    frames = [Image.new("RGB", (7, 5), colour) for colour in ("red", "blue")]
    frames[0].save(path, "PNG", save_all=True, append_images=frames[1:])


def spoiled(data: bytes) -> bytes:
    at = data.index(b"IDAT") + 20
    return data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :]


def rgb(values=COLOUR, **more):
    return lambda path: png(path, np.moveaxis(values, 0, -1), **more)


BROKEN = {
    "cut short": (edited(lambda data: data[:-60]), "is damaged: .*truncated"),
    "a damaged row": (edited(spoiled), "is damaged"),
    "a damaged head": (edited(lambda data: data[:20] + b"\xff" * 9 + data[29:]), "damaged"),
    "empty": (lambda path: path.write_bytes(b""), "not a JPEG or PNG picture"),
    "text": (lambda path: path.write_text("SIMPLE = T"), "not a JPEG or PNG picture"),
    "a GIF": (lambda path: Image.new("L", (7, 5)).save(path, "GIF"), "not a JPEG or PNG picture"),
    "a palette": (lambda path: Image.new("P", (7, 5)).save(path, "PNG"), "numbers of a palette"),
    "black or white": (lambda path: Image.new("1", (7, 5)).save(path, "PNG"), "has bands 1, expec"),
    "four inks": (jpeg("CMYK"), "has bands CMYK, expected grey or RGB"),
    "see-through": (lambda path: Image.new("RGBA", (7, 5)).save(path, "PNG"), "transparent pixels"),
    "a colour see-through": (rgb(more=chunk(b"tRNS", bytes(6))), "one of its colours means"),
    "colours of 16 bits": (rgb(COLOUR.astype(np.uint16)), "16 bits a band are read of grey PNG"),
    "grey of 16 bits": (lambda path: png(path, GREY, 0), "another unit|has shape"),
    "two pictures": (animated, "holds 2 pictures, expected one"),
    "a bomb": (rgb(size=(60_000, 60_000)), "declares too many pixels for a picture"),
    "a survey plate": (rgb(size=(5000, 5000)), "declares 5000 x 5000 pixels, too many"),
    "another size": (rgb(COLOUR[:, :4]), r"has shape \(3, 4, 7\), in .* it has \(3, 5, 7\)"),
    "grey": (lambda path: png(path, COLOUR[0], 0), r"has shape \(1, 5, 7\), in .* \(3, 5, 7\)"),
    "a folder": (lambda path: path.mkdir(), "not a regular file, expected a picture"),
    "a pipe": (os.mkfifo, "not a regular file, expected a picture"),
    "a loop of links": (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
    "a link to nothing": (lambda path: path.symlink_to("gone"), "cannot be read: No such file"),
    "two of one name": (lambda path: jpeg("RGB")(path.with_suffix(".jpg")), "1 ids stand in more"),
}


def whole(folder, settings):
    dataset = opened(folder, settings)
    return dataset.read(np.arange(len(dataset)))


def refused(folder, settings=SCALE) -> str:
    with pytest.raises(FmbError) as caught:
        whole(folder, settings)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_picture_is_one_line_that_names_it(folder, kind):
    write, pattern = BROKEN[kind]
    if kind == "two of one name":
        write(folder / f"{2**62 + 3}.png")
    else:
        write(folder / "zzz.png")
        assert "zzz.png" in refused(folder)
    assert re.search(pattern, told := refused(folder)), told


@pytest.mark.parametrize("kind", [kind for kind in BROKEN if kind != "two of one name"])
def test_a_broken_picture_may_be_skipped_and_is_listed_while_the_rest_is_right(folder, kind):
    (folder / "000.png").write_bytes(b"")  # the first of all, which would tell bands and size
    BROKEN[kind][0](folder / "zzz.png")
    dataset = opened(folder, SCALE | {"skip_bad": True})
    counted, *listed = [line for line in dataset.warnings if line.startswith("sdss: ")]
    assert counted == "sdss: 2 objects left out, whose files are broken"
    assert [line.split()[1] for line in listed] == ["000", "zzz"]
    assert f" is left out: {folder}/zzz.png" in listed[1]
    batch = dataset.read(np.arange(5))
    assert [dataset.ids[row] for row in batch.rows["sdss"]] == [f"{2**62 + n}" for n in (1, 2, 3)]
    expected = [COLOUR + np.uint8(row) for row in (2, 1, 0)]
    assert np.array_equal(batch.inputs["sdss"].flux, np.stack(expected))


def test_a_picture_without_read_permission_is_one_line(folder, monkeypatch):
    sound = Path.open

    def denied(path, *args, **kwargs):  # the user who runs the tests may be allowed everything
        if path.suffix == ".png":
            raise PermissionError(13, "Permission denied")
        return sound(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", denied)
    assert re.search(r"\.png: no permission to read it", refused(folder))


@pytest.mark.parametrize(
    ("tables", "settings", "pattern"),
    [
        ({}, {}, r"add --set data\.inputs\.images\.pixel_scale_arcsec=ARCSEC"),
        ({}, {"inputs": {"a": {}, "b": {}}}, "a folder of pictures is one input"),
        ({}, {"inputs": {"a": {"pixel_scale_arcsec": 1, "bands": ["G"]}}}, "for bands G"),
        ({}, {"inputs": {"a": {"pixel_scale_arcsec": 1, "bnads": 1}}}, "did you mean 'bands'"),
        ({"a": "id\n1\n", "b": "id\n1\n"}, SCALE, "a.csv and b.csv may be the catalogue; name it"),
        ({"a": "id\n1\n"}, SCALE, "a.csv: no column names the pictures, such as '46"),
        ({"a": f"id\n{2**62 + 1}\n{2**62 + 1}\n"}, SCALE, "'id': 1 ids stand in more than one row"),
        ({"a": f"f,id\n{2**62 + 1}.png,4.6e18\n"}, SCALE | {"catalog": {"id": "id"}}, "a float"),
        ({"a": f"f\n{2**62 + 1}\n"}, SCALE | {"catalog": {"id": "i"}}, "no column is called 'i'"),
        ({"a": f"f\n{2**62 + 1}\n"}, SCALE | {"catalog": {"file": "b.csv"}}, "b.csv: no such file"),
    ],
)
def test_what_is_not_said_or_does_not_fit_is_one_line(folder, tables, settings, pattern):
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    assert re.search(pattern, told := refused(folder, settings)), told


def test_pillow_is_named_where_it_is_not_installed(folder, monkeypatch):
    import sys

    dataset = opened(folder)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(FmbError, match=r"pip install 'fmb-surveys\[pictures\]'"):
        dataset.read(np.array([0]))
