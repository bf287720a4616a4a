"""A VOTable, and the header of one in Parquet, say of every column what it is."""

import io
import json
import warnings

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from astropy import units
from astropy.io.votable import parse
from astropy.io.votable.ucd import check_ucd
from exported_tables import GAPS, IDS, TOLD

from fmb_surveys.export.exported import Exported, Field
from fmb_surveys.export.formats import file_parts

POSITIONS = pd.DataFrame({"object_id": IDS["int64"], "ra": [1.5, 2, 3], "dec": [-1.0, 0, 1]})
FIELDS = {
    "object_id": Field("id <& of", ucd="meta.id;meta.main"),
    "ra": Field("right ascension", "deg", "pos.eq.ra;meta.main"),
    "dec": Field("declination", "deg", "pos.eq.dec;meta.main"),
}


def votable(table, fields=None, **options):
    told = fields or {c: Field() for c in table}
    body = b"".join(file_parts("votable", Exported.of_table(table, told), TOLD, **options))
    return parse(io.BytesIO(body), verify="exception")


def columns(tree):
    return {field.name: field for field in tree.get_first_table().fields}


def test_columns_have_types_units_words_and_a_system_of_coordinates():
    tree = votable(POSITIONS, FIELDS)
    found = columns(tree)
    assert [found[c].datatype for c in found] == ["long", "double", "double"]
    assert [found[c].ucd for c in found] == [FIELDS[c].ucd for c in found]
    assert [str(found[c].unit or "") for c in found] == ["", "deg", "deg"]
    assert found["object_id"].description == "id <& of"
    (system,) = tree.resources[0].coordinate_systems
    assert (system.system, {found["ra"].ref, found["dec"].ref}) == ("ICRS", {system.ID})


def test_provenance_stands_in_lines_and_as_a_whole():
    infos = votable(POSITIONS, FIELDS).resources[0].infos
    lines = [one.value for one in infos if one.name == "provenance"]
    assert "simulated data: not evidence" in lines
    assert json.loads(next(one.value for one in infos if one.name == "fmb")) == TOLD


def test_all_rows_of_several_blocks_are_there_in_order():
    n = 100_003  # of which no block is a multiple
    # 16 bytes a row, of which a block is no multiple of 3: its text would end within the stream.
    texts = np.arange(n).astype(str)
    table = pd.DataFrame({"i": np.arange(n), "text": texts, "odd": np.arange(n) % 2 == 1})
    back = votable(table).get_first_table().to_table()
    assert back["i"].tolist() == list(range(n))
    assert back["text"].tolist() == [str(i) for i in range(n)]


def test_any_text_is_as_it_was():
    texts = ["Ångström", "😀 <&>\"'", "ends in a blank "]
    back = votable(pd.DataFrame({"text": texts})).get_first_table().to_table()
    assert back["text"].tolist() == texts


def test_numbers_that_votable_knows_not_take_the_next_wider_type():
    table = GAPS.assign(u2=np.array([1, 2, 65535], "u2"), u4=np.array([1, 2, 2**32 - 1], "u4"))
    tree = votable(table)
    kinds = {name: field.datatype for name, field in columns(tree).items()}
    back = tree.get_first_table().to_table()
    assert [kinds[c] for c in ("tiny", "byte", "u2", "u4")] == [
        "short",
        "unsignedByte",
        "int",
        "long",
    ]
    assert (back["u2"][2], back["u4"][2]) == (65535, 2**32 - 1)


def test_a_unit_that_votable_knows_not_stands_in_the_description():
    field = columns(votable(pd.DataFrame({"a": [1.0]}), {"a": Field("flux", "nmgy")}))["a"]
    assert (field.unit, field.description) == (None, "flux [nmgy]")


@pytest.mark.parametrize("unit", ["1e-17 erg / (s cm2 Angstrom)", "uJy", "km / s"])
def test_a_unit_is_read_back_as_it_was(unit):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", units.UnitsWarning)  # VOUnit calls erg deprecated
        table = pd.DataFrame({"a": [1.0]})
        found = columns(votable(table, {"a": Field("flux", unit)}))["a"].unit
    assert found == units.Unit(unit)


def test_parquet_has_the_header_of_a_votable_without_its_data():
    fields = {**FIELDS, "big": Field(), "name": Field()}
    table = POSITIONS.assign(big=IDS["uint64"], name=["a", "bc", "é"])
    body = b"".join(file_parts("parquet", Exported.of_table(table, fields), TOLD))
    meta = pq.read_schema(io.BytesIO(body)).metadata
    assert meta[b"IVOA.VOTable-Parquet.version"] == b"1.0"
    header = meta[b"IVOA.VOTable-Parquet.content"]
    found = columns(parse(io.BytesIO(header), verify="exception"))
    assert list(found) == pq.read_schema(io.BytesIO(body)).names
    assert found["ra"].ucd == "pos.eq.ra;meta.main"
    assert b"<DATA" not in header


def test_words_for_columns_are_those_of_the_observatory():
    from fmb_surveys.export import table

    words = [field.ucd for field in table._FIELDS.values()] + list(table._ROLES.values())
    assert all(check_ucd(one, check_controlled_vocabulary=True) for one in words)
