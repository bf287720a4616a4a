"""Containers keep rows, ids and inputs together, and refuse shapes that do not fit."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmb.contract.inputs import Batch, Columns, Images, InputInfo, Inputs, Spectra
from fmb.contract.names import ListName, VectorName
from fmb.contract.vectors import Members, Pairs, Vectors
from fmb.messages.errors import DataError, ShapeError


def images(n=4, bands=("g", "r"), **changes):
    shape = (n, len(bands), 3, 3)
    flux = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    made = {
        "flux": flux,
        "bands": bands,
        "band_valid": np.ones((n, len(bands)), bool),
        "unit": "nmgy",
        "pixel_scale_arcsec": 0.262,
        "ivar": flux + 1,
        "psf_fwhm_arcsec": flux[:, :, 0, 0],
    }
    return Images(**{**made, **changes})


def spectra(n=4, shared=True, **changes):
    flux = np.arange(n * 5, dtype=np.float32).reshape(n, 5)
    grid = np.linspace(4000.0, 4004.0, 5)
    made = {
        "flux": flux,
        "mask": flux > 7,
        "wavelength_aa": grid if shared else grid + np.arange(n)[:, None],
        "unit": "count",
    }
    return Spectra(**{**made, **changes})


def batch():
    """Six objects; images of all but 20, spectra of 10, 30 and 60 only."""
    return Batch(
        ids=np.array([10, 20, 30, 40, 50, 60]),
        inputs={
            "euclid": images(5),
            "desi": spectra(3, shared=False),
            "catalog": Columns(values=np.eye(6, 2, dtype=np.float32), names=("a", "b")),
        },
        rows={
            "euclid": np.array([0, 2, 3, 4, 5]),
            "desi": np.array([0, 2, 5]),
            "catalog": np.arange(6),
        },
    )


def inputs_of(some, name):
    """Id -> its row of one input, as plain lists."""
    part = some.inputs[name]
    values = part.values if isinstance(part, Columns) else part.flux
    return {int(some.ids[at]): values[k].tolist() for k, at in enumerate(some.rows[name])}


orders = st.permutations(range(6)).flatmap(
    lambda order: st.integers(0, 6).map(lambda n: list(order[:n]))
)


@given(orders)
def test_taking_objects_keeps_to_each_what_was_observed_of_it(chosen):
    whole = batch()
    part = whole.take(np.array(chosen, dtype=int))
    assert part.ids.tolist() == whole.ids[chosen].tolist()
    for name in whole.inputs:
        before = inputs_of(whole, name)
        wanted = {int(i): before[int(i)] for i in part.ids if int(i) in before}
        assert inputs_of(part, name) == wanted
        assert np.all(np.diff(part.rows[name]) > 0)


@given(orders)
def test_taking_twice_is_taking_once(chosen):
    whole = batch()
    chosen = np.array(chosen, dtype=int)
    back = np.argsort(chosen)
    once, twice = whole.take(chosen[back]), whole.take(chosen).take(back)
    assert once.ids.tolist() == twice.ids.tolist()
    for name in whole.inputs:
        assert inputs_of(once, name) == inputs_of(twice, name)


def test_objects_may_be_chosen_by_a_mask():
    part = batch().take(batch().ids > 30)
    assert part.ids.tolist() == [40, 50, 60]
    assert part.rows["desi"].tolist() == [2]


def test_every_row_array_of_an_input_is_taken_and_the_rest_is_kept():
    taken = images().take([2, 0])
    for one in fields(Images):
        value, before = getattr(taken, one.name), getattr(images(), one.name)
        if one.metadata.get("per_row") and before is not None:
            assert np.array_equal(value, before[[2, 0]])
        else:
            assert value == before
    assert len(taken) == 2


def test_a_shared_wavelength_grid_stays_shared():
    assert spectra().take([1]).wavelength_aa.shape == (5,)
    assert spectra().wavelengths().shape == (4, 5)


def test_the_wavelength_grid_of_an_object_goes_with_it():
    taken = spectra(shared=False).take([3, 1])
    assert taken.wavelength_aa[:, 0].tolist() == [4003.0, 4001.0]
    assert taken.wavelengths().tolist() == taken.wavelength_aa.tolist()


def test_as_many_spectra_as_pixels_do_not_turn_a_shared_grid_into_rows():
    assert spectra(5).take([4, 3]).wavelength_aa.tolist() == [4000, 4001, 4002, 4003, 4004]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: images(bands=("g", "r"), flux=np.zeros((4, 3, 3))), "images have shape (4, 3, 3)"),
        (lambda: images(flux=np.zeros((4, 3, 3, 3))), "expected (n, 2, height, width)"),
        (lambda: images(ivar=np.zeros((4, 2, 3, 4))), "images: ivar has shape (4, 2, 3, 4)"),
        (lambda: images(mask=np.zeros((4, 2, 3, 4))), "images: mask has shape (4, 2, 3, 4)"),
        (lambda: spectra(flux=np.zeros(5)), "spectra have shape (5,), expected (n, pixels)"),
        (lambda: spectra(mask=np.zeros((4, 6))), "spectra: mask has shape (4, 6)"),
        (lambda: spectra(ivar=np.zeros((3, 5))), "spectra: ivar has shape (3, 5)"),
        (lambda: spectra(wavelength_aa=np.zeros(6)), "wavelengths have shape (6,)"),
        (lambda: Vectors(np.arange(3), np.zeros((2, 4))), "vectors have shape (2, 4) for 3 ids"),
        (lambda: Vectors(np.arange(3), np.zeros(3)), "vectors have shape (3,) for 3 ids"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_with_both(make, message):
    with pytest.raises(ShapeError) as caught:
        make()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


IDS = np.array([7, 8, 9])
TABLE = np.arange(6, dtype=np.float32).reshape(3, 2)
NAMES = (VectorName("m", "mean", "image"), VectorName("m", "mean", "spectrum"))
LIST = ListName("flow", NAMES[:1])


@pytest.mark.parametrize(
    ("whole", "values"),
    [
        (Vectors(IDS, TABLE), lambda x: [x.values]),
        (Pairs(IDS, TABLE, -TABLE, True, NAMES), lambda x: [x.a, -x.b]),
        (Members(IDS, {LIST: TABLE[:, 0]}), lambda x: [x.percentiles[LIST][:, None]]),
    ],
    ids=["vectors", "pairs", "members"],
)
def test_the_input_of_a_detector_is_taken_with_its_ids(whole, values):
    part = whole.take([2, 0])
    assert (len(whole), len(part)) == (3, 2)
    assert part.ids.tolist() == [9, 7]
    for array in values(part):
        assert array[:, 0].tolist() == [4.0, 0.0]


def test_prepared_inputs_are_taken_with_validity_and_reasons():
    whole = Inputs(
        arrays={"patches": TABLE},
        valid={"image": np.array([True, False, True])},
        reasons={"image": ["", "too small", ""]},
    )
    part = whole.take(np.array([1, 0]))
    assert part.arrays["patches"].tolist() == [[2.0, 3.0], [0.0, 1.0]]
    assert part.valid["image"].tolist() == [False, True]
    assert part.reasons["image"] == ["too small", ""]


def test_the_columns_of_a_detectors_input_go_with_their_rows():
    columns = {"magnitude": np.array([20.0, np.nan, 22.0]), "class": np.array(["", "star", "QSO"])}
    for whole in (
        Vectors(IDS, TABLE, columns),
        Pairs(IDS, TABLE, TABLE, False, NAMES, columns),
        Members(IDS, {LIST: TABLE[:, 0]}, columns=columns),
    ):
        part = whole.take([2, 1])
        assert part.columns["class"].tolist() == ["QSO", "star"]
        np.testing.assert_array_equal(part.columns["magnitude"], [22.0, np.nan])


def test_p_values_of_members_are_taken_where_there_are_any():
    assert Members(IDS, {LIST: TABLE[:, 0]}).take([0]).p_values is None
    whole = Members(IDS, {LIST: TABLE[:, 0]}, {LIST: np.array([0.1, 0.2, 0.3])})
    assert whole.take([2, 0]).p_values[LIST].tolist() == [0.3, 0.1]


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_blocks_of_vectors_are_all_rows_in_order_without_a_copy(rows):
    blocks = list(Vectors(IDS, TABLE).blocks(rows))
    assert np.array_equal(np.concatenate([values for _, values in blocks]), TABLE)
    for part, values in blocks:
        assert len(values) <= rows
        assert np.array_equal(values, TABLE[part])
        assert np.shares_memory(values, TABLE)


def test_an_input_says_which_objects_have_it_and_where_they_come_from():
    info = InputInfo(kind="images", unit="nmgy")
    assert info.have(2).tolist() == [True, True]
    assert info.take(np.array([1])) == info
    present, origin = np.array([True, False, True]), np.array([7, 8, 9], dtype=np.uint64)
    part = replace(info, present=present, origin=origin).take(np.array([2, 1]))
    assert part.have(2).tolist() == [True, False]
    assert part.origin.tolist() == [9, 8]


def whole_batch():
    return batch().take([0, 2, 5])  # those that have everything


def test_an_input_that_every_object_has_is_given_whole():
    assert whole_batch().whole("desi", Spectra).flux.shape == (3, 5)


@pytest.mark.parametrize(
    ("some", "name", "kind", "message"),
    [
        (whole_batch, "hst", Images, "input 'hst': expected Images, the batch has no such input"),
        (whole_batch, "desi", Images, "input 'desi': expected Images, the batch has a Spectra"),
        (batch, "desi", Spectra, "input 'desi' is there for 3 of 6 objects of a batch; group the"),
    ],
)
def test_an_input_that_is_not_whole_is_refused_with_the_reason(some, name, kind, message):
    with pytest.raises(DataError) as caught:
        some().whole(name, kind)
    assert str(caught.value).startswith(message)


def test_spectra_with_a_grid_each_are_taken_with_their_grids():
    grids = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    spectra = Spectra(
        flux=grids.astype(np.float32),
        mask=np.zeros((3, 3), dtype=bool),
        wavelength_aa=grids,
        unit="counts",
    )
    taken = spectra.take([2, 0])
    assert taken.wavelength_aa.tolist() == [[7.0, 8.0, 9.0], [1.0, 2.0, 3.0]]
    assert taken.flux.tolist() == [[7.0, 8.0, 9.0], [1.0, 2.0, 3.0]]


def test_columns_fit_their_names_and_errors():
    values = np.zeros((3, 2), dtype=np.float32)
    made = Columns(values=values, names=("g", "r"), errors=values + 1, wavelength_aa=(1.0, 2.0))
    assert made.take([2, 0]).errors.shape == (2, 2)
    assert made.take([2]).wavelength_aa == (1.0, 2.0)
    with pytest.raises(ShapeError, match=r"columns have shape \(3, 2\), expected \(n, 1\) for g"):
        Columns(values=values, names=("g",))
    with pytest.raises(ShapeError, match=r"errors has shape \(3, 1\), expected \(3, 2\)"):
        Columns(values=values, names=("g", "r"), errors=values[:, :1])
