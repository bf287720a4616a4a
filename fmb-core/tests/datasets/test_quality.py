from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fmb.contract.inputs import Batch, Images, InputInfo, Spectra
from fmb.datasets.quality import Finding, catalog_findings, check, disordered, findings, summary


def images(n=3, *, unit="nmgy", **changes):
    flux = np.random.default_rng(0).normal(size=(n, 2, 10, 10)).astype(np.float32)
    sound = Images(
        flux=flux,
        bands=("G", "R"),
        band_valid=np.ones((n, 2), dtype=bool),
        unit=unit,
        pixel_scale_arcsec=0.2,
        ivar=np.ones_like(flux),
        mask=np.zeros(flux.shape, dtype=bool),
    )
    return replace(sound, **changes)


def spectra(n=3, **changes):
    flux = np.random.default_rng(1).normal(size=(n, 50)).astype(np.float32)
    sound = Spectra(
        flux=flux,
        ivar=np.ones_like(flux),
        mask=np.zeros(flux.shape, dtype=bool),
        wavelength_aa=np.tile(4000.0 + np.arange(50), (n, 1)),
        unit="counts",
    )
    return replace(sound, **changes)


def found(data):
    batch = Batch(
        ids=np.arange(100, 100 + len(data) + 1),
        inputs={"cam": data},
        rows={"cam": np.arange(1, len(data) + 1)},  # object 100 has no such input
    )
    return [(f.object_id, f.problem, f.severity, f.fraction) for f in findings(batch)]


def test_sound_data_have_no_findings():
    assert found(images()) == []
    assert found(spectra()) == []
    assert found(spectra(0)) == []


def test_a_zero_filled_share_is_named_with_its_object():
    data = images()
    data.flux[1, :, :4] = 0.0
    assert found(data) == [(102, "zero-filled", "warning", 0.4)]
    data.flux[1, :, 1:4] = data.flux[2, :, 1:4]
    assert found(data) == []  # exactly 10 % is not worth a word


def test_zeros_that_are_masked_or_carry_no_weight_are_no_fill():
    data = images()
    data.flux[1, :, :4] = 0.0
    data.mask[1, :, :4] = True
    assert found(data) == []
    data.mask[1] = False
    data.ivar[1, :, :4] = 0.0
    assert found(data) == []


def test_black_is_an_ordinary_grey_level_but_black_rows_are_fill():
    grey = np.random.default_rng(2).integers(1, 200, (3, 2, 10, 10)).astype(np.float32)
    grey[:, :, ::2, ::2] = 0.0  # a quarter of the pixels, no whole row or column
    data = images(unit="display", flux=grey)
    assert found(data) == []
    data.flux[2, :, 3:5] = 0.0
    assert found(data) == [(103, "zero-filled", "warning", 0.2)]


def test_an_image_without_a_value_is_an_error():
    data = images()
    data.flux[0] = np.nan
    data.band_valid[0] = False
    assert found(data) == [(101, "no pixel has a value", "error", None)]


def test_an_absent_band_is_no_fault_but_gaps_in_a_band_are():
    data = images()
    data.flux[0, 1] = np.nan
    data.band_valid[0, 1] = False
    assert found(data) == []
    data.flux[2, 0, :3] = np.nan
    assert found(data) == [(103, "pixels without a value", "warning", 0.15)]


def test_infinite_pixels_are_an_error_unless_masked():
    data = images()
    data.flux[1, 0, 0, 0] = np.inf
    assert found(data) == [(102, "pixels that are infinite, or beyond float32", "error", 1 / 200)]
    data.mask[1, 0, 0, 0] = True
    assert found(data) == []


def test_constant_and_saturated_images_are_named():
    data = images()
    data.flux[0] = 3.0
    data.flux[1, :, :5] = 9.0
    assert found(data) == [
        (101, "the same value everywhere", "error", None),
        (102, "pixels stuck at the highest value", "warning", 0.5),
    ]


@pytest.mark.parametrize("data", [images(), spectra()], ids=["images", "spectra"])
def test_impossible_ivar_is_named(data):
    data = replace(data, ivar=data.ivar.copy())
    first = data.ivar.reshape(3, -1)
    first[0, 0], first[1, 0], first[2, 0] = -1.0, np.nan, np.inf
    problems = [(i, problem) for i, problem, *_ in found(data)]
    assert problems == [
        (101, "negative ivar"),
        (102, "ivar that is no finite number"),
        (103, "ivar that is no finite number"),
    ]


def test_a_spectrum_without_a_good_pixel_says_why():
    data = spectra(4)
    data.mask[:] = True
    data.ivar[0] = 0.0
    data.wavelength_aa[1, 7] = -1.0
    data.wavelength_aa[2, 7] = 9000.0
    assert [(i, problem) for i, problem, *_ in found(data)] == [
        (102, "wavelengths are negative or missing at good pixels"),
        (103, "wavelengths are not ascending"),
        (101, "no good pixel"),
        (104, "no good pixel"),
    ]
    assert {severity for *_, severity, _ in found(data)} == {"error"}


def test_a_spectrum_that_is_mostly_bad_is_named():
    data = spectra()
    data.mask[1, :30] = True
    assert found(data) == [(102, "bad pixels", "warning", 0.6)]


def test_a_zero_filled_spectrum_is_named():
    data = spectra()
    data.flux[1, :30] = 0.0
    assert found(data) == [(102, "zero-filled", "warning", 0.6)]


def test_padding_does_not_disorder_a_grid():
    grid = np.array([[1.0, 2, 3, -1], [1, 3, 2, 4], [1, 2, 2, 3], [-1, 1, 2, 3], [1, np.nan, 2, 3]])
    used = np.array([[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1], [0, 1, 1, 1], [1, 0, 1, 1]])
    assert disordered(grid, used.astype(bool)).tolist() == [False, True, True, False, False]
    assert disordered(grid, np.ones_like(used, dtype=bool)).tolist() == [True] * 5


class Survey:
    """Objects with an image each, and nothing else unless told."""

    def __init__(self, n, *, present=None, ids=None, **columns):
        self.ids = np.arange(100, 100 + n) if ids is None else np.array(ids)
        self.catalog = pd.DataFrame(columns, index=range(n))
        self.inputs = {"cam": InputInfo(kind="images", unit="nmgy", present=present)}
        self.images = images(n)
        self.reads = []

    def __len__(self):
        return len(self.ids)

    def read(self, rows, inputs=None):
        self.reads.append(len(rows))
        at = np.arange(len(rows))
        return Batch(ids=self.ids[rows], inputs={"cam": self.images.take(rows)}, rows={"cam": at})


def test_positions_ids_and_unseen_objects_are_checked():
    survey = Survey(
        6,
        ids=[1, 2, 3, 4, 5, 2],
        ra=[0.0, np.nan, 359.0, -180.0, 10.0, 361.0],
        dec=[90.0, 0.0, 91.0, -90.0, 0.0, 0.0],
        present=np.array([1, 1, 1, 1, 0, 1], dtype=bool),
    )
    assert [(f.object_id, f.problem, f.severity) for f in catalog_findings(survey)] == [
        (2, "its id stands in more than one row", "error"),
        (2, "ra is missing", "warning"),
        (2, "ra is outside -180 to 360 degrees", "error"),
        (3, "dec is outside -90 to 90 degrees", "error"),
        (5, "nothing was observed of it", "warning"),
    ]


def test_objects_of_a_dataset_without_instruments_are_not_unseen():
    survey = Survey(3)
    survey.inputs = {}
    assert catalog_findings(survey) == []


def test_check_reads_all_in_blocks_and_counts():
    survey = Survey(300)
    survey.images.flux[299, :, :4] = 0.0
    done = []
    (finding,) = check(survey, progress=lambda n, total: done.append((n, total)))
    assert (finding.object_id, finding.input) == (399, "cam")
    assert done == [(0, 300), (256, 300), (300, 300)]
    assert survey.reads == [256, 44]


def test_a_batch_of_one_finds_what_a_batch_of_all_finds():
    data = images(5)
    data.flux[1, :, :4], data.flux[2], data.flux[3, 0, 0, 0] = 0.0, np.nan, np.inf
    together = sorted(found(data), key=str)
    apart = []
    for row in range(5):
        one = Batch(
            ids=np.array([101 + row]),
            inputs={"cam": data.take([row])},
            rows={"cam": np.array([0])},
        )
        apart += [(f.object_id, f.problem, f.severity, f.fraction) for f in findings(one)]
    assert sorted(apart, key=str) == together


def test_the_summary_has_one_line_a_problem_and_names_the_worst():
    many = [Finding(i, "cam", "zero-filled", "warning", i / 100) for i in range(20, 28)]
    error = Finding("X-1", "spec", "no good pixel", "error")
    assert summary([*many, error]) == [
        "error: spec: no good pixel: 1 object, X-1",
        "warning: cam: zero-filled: 8 objects, 27 (27%), 26 (26%), 25 (25%), 24 (24%), 23 (23%)"
        " and 3 more",
    ]
    assert str(error) == "error: spec: X-1: no good pixel"
    assert many[0].as_dict()["object_id"] == "20"
