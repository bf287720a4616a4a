"""Columns computed from others: of the catalogue, of joined ones, with units and roles."""

import numpy as np
import pyarrow as pa
import pytest
from astropy.table import Table
from click.testing import CliRunner
from pyarrow import parquet

from fmb import FmbError
from fmb.cli import main
from fmb.datasets import select


def fluxes(files, **derived):
    """The survey with a catalogue of fluxes."""
    table = Table(
        {
            "id": files.arrays["id"],
            "g": np.array([1.0, 10.0, 100.0, 0.0, -1.0, np.nan]),
            "r": np.array([1.0, 1.0, 10.0, 1.0, 1.0, 1.0]),
            "n": np.array([1, 2, 3, 4, 5, 6], dtype=np.int16),
        },
        units={"g": "nJy", "r": "nJy"},
    )
    table.write(files.folder / "cat.fits", overwrite=True)
    files.toml["catalog"] = {"file": "cat.fits", "id": "id", "columns": "all", "derived": derived}
    files.cam["id"] = files.spec["id"] = "id"
    return files.toml["catalog"]


def test_a_derived_column_has_its_values_and_its_unit(files):
    fluxes(files, ratio="g / r", total="g + r", colour="-2.5 * log10(ratio)")
    catalog = files.open().catalog
    assert catalog["total"].tolist()[:5] == [2.0, 11.0, 110.0, 1.0, 0.0]
    # -2.5 log10 of 1, 10, 10; of 0, a negative number and of nothing there is none.
    assert catalog["colour"].tolist()[:3] == [0.0, -2.5, -2.5]
    assert catalog["colour"].isna().tolist() == [False] * 3 + [True] * 3
    assert catalog.attrs["units"] == {"g": "nJy", "r": "nJy", "total": "nJy"}


def test_a_unit_that_does_not_follow_may_be_said(files):
    fluxes(files, mag="31.4 - 2.5 * log10(g)")["units"] = {"mag": "mag"}
    assert files.open().catalog.attrs["units"]["mag"] == "mag"


def test_a_derived_column_plays_a_role_and_is_selected_by(files):
    fluxes(files, mag="31.4 - 2.5 * log10(g)")["roles"] = {"magnitude": "mag"}
    opened = files.open()
    assert opened.catalog.attrs["roles"] == {"magnitude": "mag"}
    assert select(opened, where="mag < 30").ids.tolist() == sorted(files.arrays["id"][1:3])


def test_joined_columns_and_ids_may_be_derived_from(files):
    fluxes(files, odd="object_id % 2", sum="n + more_k")["join"] = {
        "more": {"file": "more.parquet", "on": "id"}
    }
    ids = files.arrays["id"]
    parquet.write_table(pa.table({"id": ids[:2], "k": [10, 20]}), files.folder / "more.parquet")
    catalog = files.open().catalog
    assert catalog["odd"].tolist() == [one % 2 for one in ids.tolist()]
    assert catalog["sum"].isna().tolist() == [False, False, True, True, True, True]
    assert catalog["sum"].dropna().tolist() == [11, 22]


def test_another_formula_makes_another_survey(files):
    fluxes(files, a="g + r")
    before = files.open().identity
    fluxes(files, a="g - r")
    assert files.open().identity != before


@pytest.mark.parametrize(
    ("derived", "units", "message"),
    [
        ({"c": "g - rr"}, {}, r"catalog.derived.c = 'g - rr': no column is called 'rr'"),
        ({"c": "g + n"}, {"n": "uJy"}, "takes 'nJy' and 'uJy' together"),
        ({"c": "g + r"}, {"c": "uJy"}, "catalog.derived.c is in 'nJy' .* 'uJy' by units.c"),
        ({"g": "r"}, {}, "there is a column 'g' already"),
        ({"object_id": "n"}, {}, "there is a column 'object_id' already"),
        ({"c": "d + 1", "d": "g"}, {}, "no column is called 'd'"),
        ({"c": ""}, {}, "write for instance 'mag_g - mag_r'"),
    ],
)
def test_what_cannot_be_derived_is_said_in_one_line(files, derived, units, message):
    fluxes(files, **derived)["units"] = units
    with pytest.raises(FmbError, match=message) as caught:
        files.open()
    assert "\n" not in str(caught.value)


def test_the_command_line_shows_derived_columns_and_refuses_others(files):
    fluxes(files, snr_like="abs(g) / sqrt(r * r)", bright="g > 5")
    shown = CliRunner().invoke(main, ["data", "show", str(files.write())])
    assert [line.split()[:2] for line in shown.stdout.splitlines()[-2:]] == [
        ["snr_like", "float64"],
        ["bright", "bool"],
    ]
    fluxes(files, worse="g ^ 2")
    done = CliRunner().invoke(main, ["data", "show", str(files.write())])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "works on bits" in done.stderr
