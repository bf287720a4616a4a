"""Further catalogues: their columns beside the survey's own, by keys that are exact."""

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.table import Table
from pyarrow import parquet

from fmb import FmbError

BIG = 4_611_686_018_427_387_904
"""2^62: beside its neighbours a float cannot tell it."""


GAP = pd.NA


def write(files, file="more.parquet", /, **columns):
    """A further catalogue in the folder of the survey, joined as `more`."""
    path = files.folder / file
    parquet.write_table(pa.table(columns), path)
    files.toml["catalog"]["join"] = {"more": {"file": file, "on": "id"}}
    return files.toml["catalog"]["join"]["more"]


def test_columns_of_another_catalogue_stand_beside_the_survey_s_own(files):
    write(files, id=[BIG, BIG + 1, BIG + 2, BIG + 3, BIG + 4, BIG + 5], z=np.arange(6) / 10)
    catalog = files.open().catalog  # the ids are 2^62 + 5, 1, 4, 2, 0, 3
    assert catalog["more_z"].tolist() == [0.5, 0.1, 0.4, 0.2, 0.0, 0.3]
    assert "more_id" not in catalog


@pytest.mark.parametrize(
    ("columns", "expected"),
    [("all", ["more_z", "more_q"]), (["q"], ["more_q"]), ({"redshift": "z"}, ["redshift"])],
)
def test_joined_columns_are_prefixed_or_called_as_one_says(files, columns, expected):
    join = write(files, id=files.arrays["id"], z=np.arange(6.0), q=np.arange(6))
    join["columns"] = columns
    opened = files.open()
    assert list(opened.catalog.columns) == ["ra", "dec", "mag", "kind", *expected]
    assert ("redshift" in opened.catalog.attrs["roles"]) == ("redshift" in expected)


def test_what_has_no_partner_is_missing_and_counted(files):
    write(
        files,
        id=pa.array([BIG + 5, BIG + 77, BIG + 2], pa.int64()),
        survey=pa.array([2**63 - 1, 1, 2**63 - 2], pa.int64()),
        flag=[True, False, False],
        z=pa.array([0.5, 1, 2], pa.float32()),
        name=["one", "two", "three"],
    )
    opened = files.open()
    catalog = opened.catalog
    assert catalog["more_survey"].dtype == "Int64"
    assert catalog["more_survey"].tolist() == [2**63 - 1, GAP, GAP, 2**63 - 2, GAP, GAP]
    assert catalog["more_flag"].tolist() == [True, GAP, GAP, False, GAP, GAP]
    assert catalog["more_z"].dtype == np.float32
    assert catalog["more_z"].isna().tolist() == [False, True, True, False, True, True]
    assert catalog["more_name"].fillna("?").tolist() == ["one", "?", "?", "three", "?", "?"]
    few = f"{BIG + 1}, {BIG + 4}, {BIG}"
    assert opened.warnings == [
        f"join more: 4 of 6 objects have no row in more.parquet, for instance {few}",
        "join more: 1 of 3 rows of more.parquet are of no object",
    ]


def test_keys_of_19_digits_and_of_text_are_told_from_their_neighbours(files):
    files.arrays["gaia"] = np.array([2**64 - 1, 2**64 - 2, 7, 8, 9, 10], dtype=np.uint64)
    join = write(files, source=[str(2**64 - 2), str(2**64 - 1)], z=[1.0, 2.0])
    join["on"] = {"left": "gaia", "right": "source"}
    catalog = files.open().catalog
    assert catalog["more_z"].tolist()[:2] == [2.0, 1.0]
    assert "gaia" not in catalog


def test_a_key_that_is_missing_belongs_to_nobody(files):
    join = write(files, who=pa.array([None, BIG + 5, None], pa.int64()), z=[1.0, 2.0, 3.0])
    join["on"] = {"left": "id", "right": "who"}
    assert np.nansum(files.open().catalog["more_z"]) == 2.0


def test_a_catalogue_is_joined_through_another(files):
    write(files, id=files.arrays["id"], partner=[f"T{k}" for k in range(6)])
    parquet.write_table(
        pa.table({"t": [f"T{k}" for k in range(5, -1, -1)], "z": np.arange(6.0)}),
        files.folder / "third.parquet",
    )
    files.toml["catalog"]["join"]["third"] = {
        "file": "third.parquet",
        "on": {"left": "more_partner", "right": "t"},
    }
    assert files.open().catalog["third_z"].tolist() == [5.0, 4.0, 3.0, 2.0, 1.0, 0.0]


def test_units_of_a_joined_file_are_told(files):
    table = Table({"id": files.arrays["id"], "flux": np.arange(6.0)}, units={"flux": "nJy"})
    table.write(files.folder / "more.fits")
    files.toml["catalog"]["join"] = {"more": {"file": "more.fits", "on": "id"}}
    files.toml["catalog"]["roles"] = {"magnitude": "more_flux"}
    catalog = files.open().catalog
    assert catalog.attrs["units"]["more_flux"] == "nJy"
    assert catalog.attrs["roles"]["magnitude"] == "more_flux"


def test_another_joined_file_makes_another_survey(files):
    write(files, id=files.arrays["id"], z=np.arange(6.0))
    before = files.open().identity
    write(files, id=files.arrays["id"], z=np.arange(6.0) + 1)
    assert files.open().identity != before


@pytest.mark.parametrize(
    ("columns", "said", "message"),
    [
        ({"id": [BIG, BIG, 3]}, {}, rf"'id': 1 keys stand in more than one row.* {BIG}; keep one"),
        ({"id": [1.0, 2.0]}, {}, "'id': ids are floats, which lose digits"),
        ({"id": [1, 2]}, {}, rf"for no object: the first here is {BIG + 5}, there 1"),
        ({"who": [1]}, {}, "no column is called 'id'"),
        ({"id": [BIG]}, {"on": {"left": "idd", "right": "id"}}, "no HDF5 dataset 'idd'|'idd'"),
        ({"id": [BIG], "mag": [1]}, {"columns": {"mag": "mag"}}, "has a column 'mag' already"),
        ({"id": [BIG]}, {"columns": ["z"]}, "no column is called 'z'"),
        ({"id": [BIG]}, {"file": "gone.parquet"}, "gone.parquet: no such file"),
        ({"id": [BIG]}, {"file": "data.h5"}, "data.h5: not a table; give .parquet"),
        ({"id": [BIG]}, {"by": "id"}, r"catalog.*by"),
        ({"id": [[BIG]]}, {}, "column 'id' holds lists"),
    ],
)
def test_what_cannot_be_joined_is_said_in_one_line(files, columns, said, message):
    write(files, **columns).update(said)
    with pytest.raises(FmbError, match=message) as caught:
        files.open()
    assert "\n" not in str(caught.value)


def test_a_joined_survey_is_written_and_read_back(files, tmp_path):
    from fmb_surveys.files.reader import FilesConfig, open_survey_file, write_survey

    write(files, id=[BIG + 5, BIG + 1], n=[2**62 + 1, 2**62 + 2])
    opened = files.open()
    write_survey(tmp_path / "copy", opened)
    again = open_survey_file(str(tmp_path / "copy"), FilesConfig(), cache=tmp_path)
    assert again.catalog["more_n"].tolist() == opened.catalog["more_n"].tolist()


def test_the_key_of_a_csv_file_keeps_its_digits(files):
    ids = files.arrays["id"].tolist()
    text = "\n".join(["id,z", *(f"{one},{k}" for k, one in enumerate(ids))])
    (files.folder / "more.csv").write_text(text + "\n")
    files.toml["catalog"]["join"] = {"more": {"file": "more.csv", "on": "id"}}
    assert files.open().catalog["more_z"].tolist() == [0, 1, 2, 3, 4, 5]


def test_the_pixels_are_the_same_beside_another_catalogue(files):
    before = files.open().read(np.arange(6)).inputs["cam"].flux
    write(files, id=files.arrays["id"][::-1], z=np.arange(6.0))
    assert np.array_equal(files.open().read(np.arange(6)).inputs["cam"].flux, before)
    with h5py.File(files.folder / "data.h5") as file:
        assert np.array_equal(file["image"][:], before)
