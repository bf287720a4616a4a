"""`fmb export` with columns of other tables, of analyses, and links."""

from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

N = 40
IDS = 2**62 + 11 * np.arange(N)
"""Ids that no float holds."""


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


def refused(result, *words):
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.stderr
    for word in words:
        assert word in result.stderr


@pytest.fixture
def detected(fmb, tmp_path, monkeypatch):
    """A run of N objects with positions."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.savez("v.npz", object_id=IDS, a=rng.normal(size=(N, 3)))
    table = pd.DataFrame({"object_id": IDS, "ra": np.arange(N) / 3, "dec": -np.arange(N) / 4})
    table.assign(mag=np.arange(N) + 18.0).to_csv("c.csv", index=False)
    own = ("--embeddings", "v.npz", "--catalog", "c.csv", "--out", "mine")
    done(fmb("detect", *own, "--detector", "gaussian", "--no-companions"))


def by_id(path):
    return pd.read_parquet(path).set_index("object_id")


def test_a_joined_row_stands_beside_its_object_and_what_has_none_is_a_gap(fmb, detected):
    there = IDS[::-2]  # in another order, and not all
    other = pd.DataFrame({"object_id": there, "n_obs": np.arange(len(there)), "mag": 5.0})
    other.assign(kind=[f"k{i}" for i in range(len(there))]).to_parquet("other.parquet")
    said = done(fmb("export", "mine", "--wide", "--join", "other.parquet", "-o", "x.parquet"))
    assert f"{N - len(there)} of {N} objects have no row in other.parquet" in said.stderr
    assert "column 'mag' becomes 'mag_joined'" in said.stderr
    table = by_id("x.parquet")
    assert table.loc[there, "n_obs"].tolist() == list(range(len(there)))
    assert table["n_obs"].isna().sum() == N - len(there)
    assert table.loc[there, "kind"].tolist() == [f"k{i}" for i in range(len(there))]
    assert (table.loc[there, "mag_joined"] == 5).all()
    assert table.loc[IDS, "mag"].tolist() == (np.arange(N) + 18.0).tolist()


def test_a_joined_column_that_is_equal_is_left_out_and_counted(fmb, detected):
    there = np.arange(N)[::2]
    ours = {"object_id": IDS[there], "ra": there / 3, "MAG": there + 18, "new": there}
    pd.DataFrame({**ours, "dec": np.where(there == 4, 9.0, -there / 4)}).to_csv(
        "o.csv", index=False
    )
    said = done(fmb("export", "mine", "--wide", "--join", "o.csv", "-o", "x.parquet"))
    assert "2 columns left out, equal to what is there under the same name: ra, MAG" in said.stderr
    table = by_id("x.parquet")
    assert table.loc[IDS[4], ["dec", "dec_joined"]].tolist() == [-1.0, 9.0]
    assert {"ra_joined", "MAG", "MAG_joined"}.isdisjoint(table)
    assert table.loc[IDS[there], "new"].tolist() == there.tolist()


def test_equal_digits_are_compared_not_floats(fmb, detected):
    table = pd.read_csv("c.csv").assign(key=IDS)
    table.to_csv("c.csv", index=False)
    own = ("--embeddings", "v.npz", "--catalog", "c.csv", "--out", "keyed")
    done(fmb("detect", *own, "--detector", "gaussian", "--no-companions"))
    pd.DataFrame({"object_id": IDS, "key": IDS + 1}).to_parquet("other.parquet")
    done(fmb("export", "keyed", "--wide", "--join", "other.parquet", "-o", "x.parquet"))
    assert (by_id("x.parquet").loc[IDS, "key_joined"] == IDS + 1).all()


def test_equal_numbers_of_another_unit_are_kept(fmb, detected):
    table = Table({"object_id": IDS, "ra": np.arange(N) / 3}, units={"ra": "arcsec"})
    table.write("other.fits")
    done(fmb("export", "mine", "--wide", "--join", "other.fits", "-o", "x.vot"))
    table = Table.read("x.vot")
    assert (str(table["ra"].unit), str(table["ra_joined"].unit)) == ("deg", "arcsec")


@pytest.mark.parametrize("kind", ["uint64", "int64", "str"])
def test_ids_are_joined_exactly_whatever_their_type(fmb, detected, kind):
    # Their neighbours share their float.
    both = np.concatenate([IDS, IDS + 1])
    table = pd.DataFrame({"key": both.astype(kind), "x": np.arange(2 * N)})
    table.to_parquet("other.parquet")
    words = ("--join", "other.parquet", "--join-on", "key")
    done(fmb("export", "mine", "--wide", *words, "-o", "x.parquet"))
    assert by_id("x.parquet").loc[IDS, "x"].tolist() == list(range(N))


def test_units_of_a_joined_table_go_along(fmb, detected):
    table = Table({"object_id": IDS, "flux": np.arange(N, dtype=np.float32)}, units={"flux": "uJy"})
    table.write("other.fits")
    done(fmb("export", "mine", "--join", "other.fits", "-o", "x.vot"))
    assert str(Table.read("x.vot")["flux"].unit) == "uJy"


def test_what_cannot_be_joined_is_one_clear_line(fmb, detected):
    pd.DataFrame({"id": IDS}).to_parquet("named.parquet")
    pd.DataFrame({"object_id": IDS - 5}).to_parquet("others.parquet")
    pd.DataFrame({"object_id": [*IDS, IDS[0]]}).to_parquet("twice.parquet")
    pd.DataFrame({"object_id": IDS.astype(float)}).to_parquet("float.parquet")
    for file, *words in (
        ("named.parquet", "no column is called 'object_id'", "--join-on"),
        ("others.parquet", "no id of this run", "--join-on"),
        ("twice.parquet", "more than one row"),
        ("float.parquet", "floats"),
        ("none.parquet", "no such file"),
        ("v.npz", "not a table"),
    ):
        refused(fmb("export", "mine", "--join", file, "-o", "x.fits"), file, *words)


def test_tables_of_analyses_with_a_row_an_object_become_columns(fmb, detected, home):
    folder = home / "runs" / "mine" / "analyses"
    folder.mkdir(exist_ok=True)
    pd.DataFrame({"object_id": IDS[:4], "group": [1, 1, 2, 3]}).to_parquet(
        folder / "clusters.members.parquet"
    )
    pd.DataFrame({"k": [1]}).to_parquet(folder / "clusters.sizes.parquet")
    said = done(fmb("export", "mine", "--wide", "--analyses", "-o", "x.parquet"))
    assert "table 'sizes' of 'clusters' is left out: it has no object_id" in said.stderr
    table = by_id("x.parquet")
    assert table.loc[IDS[:4], "clusters_group"].tolist() == [1, 1, 2, 3]
    assert table["clusters_group"].isna().sum() == N - 4


def test_links_lead_to_the_place_of_each_object(fmb, detected):
    done(fmb("export", "mine", "--wide", "--links", "-o", "x.parquet"))
    table = by_id("x.parquet")
    for row in (1, 5):
        ra, dec = row / 3, -row / 4
        links = table.loc[IDS[row]]
        asked = {c: parse_qs(urlsplit(links[c]).query) for c in table if c.startswith("link_")}
        assert asked["link_simbad"]["Coord"] == [f"{ra:.7f}d{dec:.7f}d"]
        assert asked["link_esasky"]["target"] == [f"{ra:.7f} {dec:.7f}"]
        assert float(asked["link_ned"]["lat"][0].rstrip("d")) == dec
        assert float(asked["link_legacy"]["dec"][0]) == dec
    schema = pq.read_schema("x.parquet")
    assert schema.field("link_ned").metadata[b"ucd"] == b"meta.ref.url"


def test_a_plus_sign_of_a_link_is_no_blank(fmb, detected):
    table = pd.read_csv("c.csv").assign(dec=1.0)
    table.to_csv("c.csv", index=False)
    own = ("--embeddings", "v.npz", "--catalog", "c.csv", "--out", "north")
    done(fmb("detect", *own, "--detector", "gaussian", "--no-companions"))
    done(fmb("export", "north", "--wide", "--links", "-o", "x.parquet"))
    assert "d%2B1.0000000d" in by_id("x.parquet").loc[IDS[0], "link_simbad"]


def test_links_without_positions_are_refused(fmb, detected):
    done(fmb("detect", "--embeddings", "v.npz", "--out", "bare", "--detector", "gaussian"))
    refused(fmb("export", "bare", "--links", "-o", "x.fits"), "--links needs positions")
