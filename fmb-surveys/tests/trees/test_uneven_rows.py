"""Rows of nested tables whose lists do not go together: nothing is aligned from the left."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from fmb import DataError

N, PIXELS, ODD = 5, 6, 2


def row_of_spectrum(**changed):
    sound = {
        "flux": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        "lambda": np.linspace(4000, 5000, PIXELS).tolist(),
        "ivar": [1.0] * PIXELS,
        "mask": [False] * PIXELS,
    }
    return sound | changed


def write(folder, column, rows):
    table = {"object_id": np.arange(N) + 100, "ra": np.arange(N) * 1.0, "dec": np.arange(N) * 1.0}
    parquet.write_table(pa.table({**table, column: rows}), folder / "t.parquet")
    return folder / "t.parquet"


def spectra(folder, **changed):
    """A table of N sound spectra, but for the one of row ODD."""
    made = pa.array([row_of_spectrum(**(changed if at == ODD else {})) for at in range(N)])
    fields = [f.with_metadata({"unit": "counts"}) if f.name == "flux" else f for f in made.type]
    return write(folder, "spectrum", made.cast(pa.struct(fields)))


SHORT = {
    "flux": {"flux": [1.0, 2.0]},
    "wavelengths": {"lambda": [4000.0, 4200.0]},
    "ivar": {"ivar": [1.0, 1.0]},
    "mask": {"mask": [False, False]},
    "no mask": {"mask": None},
}


@pytest.mark.parametrize("short", SHORT)
def test_a_spectrum_with_lists_of_several_lengths_is_masked_and_named(short, tmp_path, fmb):
    table = spectra(tmp_path, **SHORT[short])
    written = fmb("data", "validate", str(table))
    assert written.exit_code == 1
    told = "wavelengths are negative or missing at good pixels"
    told = told if short == "wavelengths" else "no good pixel"
    assert f"error: spectrum: {told}: 1 object, 102" in " ".join(written.stdout.split())


@pytest.mark.parametrize("short", SHORT)
def test_the_spectra_beside_it_keep_every_pixel(short, tmp_path, opened):
    table = spectra(tmp_path, **SHORT[short])
    survey = opened(table)
    mask = survey.read(np.arange(N)).inputs["spectrum"].mask
    assert mask.all(axis=1).tolist() == [at == ODD for at in range(N)]
    assert not mask[[0, 1, 3, 4]].any()


def test_a_null_in_a_mask_is_a_bad_pixel(tmp_path, opened):
    table = spectra(tmp_path, mask=[False, None, False, True, None, False])
    survey = opened(table)
    read = survey.read(np.arange(N)).inputs["spectrum"]
    assert read.mask[ODD].tolist() == [False, True, False, True, True, False]


@pytest.mark.parametrize(("kind", "bit"), [("int8", 7), ("uint8", 7), ("int32", 23)])
def test_a_null_among_bits_has_the_bad_bit(kind, bit, tmp_path, opened):
    made = pa.array([row_of_spectrum(mask=[0, None, 1, 0, 0, 0]) for _ in range(N)])
    mask = pa.field("mask", pa.list_(getattr(pa, kind)()))
    fields = [mask if field.name == "mask" else field for field in made.type]
    table = write(tmp_path, "spectrum", made.cast(pa.struct(fields)))
    survey = opened(table, inputs={"spectrum": {"unit": "counts", "mask_bits": [bit]}})
    read = survey.read(np.arange(N)).inputs["spectrum"]
    assert read.mask[0].tolist() == [False, True, False, False, False, False]


def images(folder, **changed):
    """A table of N sound images of two bands, but for the one of row ODD."""
    plane = np.ones((3, 3)).tolist()
    sound = {"band": ["g", "r"], "flux": [plane] * 2, "ivar": [plane] * 2, "scale": [0.25] * 2}
    return write(folder, "image", [sound | (changed if at == ODD else {}) for at in range(N)])


PLANE = np.ones((3, 3)).tolist()
UNNAMED = {
    "a band twice": ({"band": ["g", "g"]}, "'image/band' names the band 'g' twice of object 102"),
    "a band twice, in other letters": ({"band": ["G", "g"]}, "twice of object 102"),
    "fewer names": (
        {"band": ["r"]},
        "'image/flux' has bands of object 102: 2, for 1 that 'image/band' names",
    ),
    "a name that is null": (
        {"band": ["r", None]},
        "'image/flux' has bands of object 102: 2, for 1",
    ),
    "fewer bands": ({"flux": [PLANE]}, "'image/flux' has bands of object 102: 1, for 2"),
    "ivar of fewer bands": ({"ivar": [PLANE]}, "'image/ivar' has bands of object 102: 1, for 2"),
}


@pytest.mark.parametrize("kind", UNNAMED)
def test_an_image_that_does_not_name_each_band_once_is_refused_by_its_id(kind, tmp_path, opened):
    changed, told = UNNAMED[kind]
    survey = opened(images(tmp_path, **changed), inputs={"image": {"unit": "nmgy"}})
    with pytest.raises(DataError, match=told) as error:
        survey.read(np.arange(N))
    assert "\n" not in str(error.value)


def test_an_image_that_lacks_a_band_and_its_name_is_read_without_it(tmp_path, opened):
    plane = [PLANE]
    table = images(tmp_path, band=["r"], flux=plane, ivar=plane, scale=[0.25])
    read = opened(table, inputs={"image": {"unit": "nmgy"}}).read(np.arange(N)).inputs["image"]
    assert read.band_valid.tolist() == [[at != ODD, True] for at in range(N)]
