"""What a survey comes to as a whole, by numbers that can be counted on fingers."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from fmb import Images, InputInfo, Spectra
from fmb.datasets.account import PixelCounts, coverage, odd_values, repeats, sky_extent


@dataclass
class Survey:
    catalog: pd.DataFrame
    inputs: dict = field(default_factory=dict)

    @property
    def ids(self):
        return np.arange(len(self.catalog))

    def __len__(self):
        return len(self.catalog)


def test_shares_of_an_image_are_of_the_bands_that_are_there():
    flux = np.ones((1, 2, 5, 4), dtype=np.float32)  # 20 pixels a band
    flux[0, 0, 0] = 0.0  # 4 zeros, of which one is masked
    flux[0, 0, 1, :2] = np.nan
    mask = np.zeros(flux.shape, dtype=bool)
    mask[0, 0, 0, 0] = True
    counts = PixelCounts()
    counts.add(
        Images(
            flux=flux,
            mask=mask,
            bands=("g", "r"),
            band_valid=np.array([[True, False]]),
            unit="nJy",
            pixel_scale_arcsec=1.0,
        )
    )
    assert counts.shares() == {"masked": 1 / 20, "zero": 3 / 20, "valueless": 2 / 20, "padding": 0}
    assert counts.lacking == {"r": 1}


def test_padding_of_a_spectrum_is_its_ends_and_is_not_counted_as_masked():
    flux = np.ones((2, 10), dtype=np.float32)
    flux[0, 7:] = np.nan  # padded
    flux[0, 3] = np.nan  # a bad pixel between good ones
    ivar = np.ones((2, 10), dtype=np.float32)
    ivar[1, :2] = 0.0  # measured, but worth nothing
    mask = np.isnan(flux)
    counts = PixelCounts()
    counts.add(
        Spectra(flux=flux, ivar=ivar, mask=mask, wavelength_aa=np.arange(1.0, 11), unit="counts")
    )
    assert counts.shares() == {"masked": 3 / 17, "zero": 0, "valueless": 0, "padding": 3 / 20}


def test_coverage_counts_objects_by_what_they_have_together():
    present = {"a": [1, 1, 1, 0, 0], "b": [1, 1, 0, 0, 1]}
    inputs = {
        name: InputInfo(kind="images", unit="nJy", present=np.array(have, dtype=bool))
        for name, have in present.items()
    }
    survey = Survey(pd.DataFrame(index=range(5)), inputs)
    assert coverage(survey) == {("a", "b"): 2, ("a",): 1, ("b",): 1, (): 1}
    assert coverage(Survey(pd.DataFrame(index=range(3)))) == {(): 3}


def test_repeats_are_rows_of_one_place_or_group():
    catalog = pd.DataFrame({"ra": [10.0, 10.0001, 20.0, 30.0], "dec": [0.0, 0.0, 0.0, 0.0]})
    assert repeats(Survey(catalog)) == (2, 1)  # 0.36 arcsec apart
    catalog["group"] = ["", "x", "x", ""]
    assert repeats(Survey(catalog)) == (3, 1)


@pytest.mark.parametrize(
    ("ra", "extent"),
    [
        ([10.0, 12.0, 11.0], (10.0, 12.0)),
        ([359.0, 1.0, 2.0], (359.0, 2.0)),
        ([-1.0, 2.0], (359.0, 2.0)),
        ([5.0], (5.0, 5.0)),
    ],
)
def test_the_extent_of_ra_leaves_out_the_widest_gap(ra, extent):
    catalog = pd.DataFrame({"ra": ra, "dec": np.linspace(-2, 3, len(ra))})
    assert sky_extent(catalog)["ra"] == extent


def test_without_positions_there_is_no_extent():
    assert sky_extent(pd.DataFrame({"mag": [1.0]})) is None
    assert sky_extent(pd.DataFrame({"ra": [np.nan], "dec": [np.nan]})) is None


def test_values_that_stand_for_unknown_are_found_in_every_column_of_numbers():
    usual = np.linspace(18.0, 22.0, 40)
    catalog = pd.DataFrame(
        {
            "mag": np.append(usual, -99.0),  # one object is enough
            "flux": np.append(usual[1:], [-9999.0, -9999.0]).astype(np.float32),
            "field": "a",
            "good": True,
            "z": np.linspace(0, 1, 41),
        }
    )
    assert odd_values(catalog) == [
        {"column": "mag", "value": -99.0, "objects": 1},
        {"column": "flux", "value": -9999.0, "objects": 2},
    ]
