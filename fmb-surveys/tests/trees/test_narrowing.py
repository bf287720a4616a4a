"""A condition on a tree of Parquet files opens only what may satisfy it, and chooses the same."""

from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from fmb import FmbError
from fmb.conditions import Limit, Where
from fmb.datasets import select

SAID = {"inputs": {"spectrum": {"unit": "counts"}}}
COLUMNS = {
    "mag": pa.float32(),
    "half": pa.float16(),
    "z": pa.float64(),
    "count": pa.int64(),
    "big": pa.uint64(),
    "word": pa.string(),
    "flag": pa.bool_(),
}


def write_hats(root, partitions, **options):
    """A HATS catalogue of tables, one a partition."""
    for number, table in enumerate(partitions):
        folder = root / "dataset" / "Norder=5" / "Dir=0"
        folder.mkdir(parents=True, exist_ok=True)
        parquet.write_table(table, folder / f"Npix={number}.parquet", **options)
    rows = sum(len(table) for table in partitions)
    (root / "hats.properties").write_text(
        f"obs_collection={root.name}\ndataproduct_type=object\nhats_nrows={rows}\n"
        "hats_col_ra=ra\nhats_col_dec=dec\nhats_col_healpix=_healpix_29\n"
    )
    return root


def spectra(n, rng):
    flat = pa.array(rng.normal(size=2 * n).astype("f4"))
    grid = pa.array(np.tile(np.array([4000, 5000], "f4"), n))
    offsets = pa.array(np.arange(n + 1, dtype="i4") * 2)
    lists = [pa.ListArray.from_arrays(offsets, values) for values in (flat, grid)]
    return pa.StructArray.from_arrays(lists, ["flux", "lambda"])


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Nine partitions of a few rows, with missing values, all kinds of columns, sorted by some."""
    rng = np.random.default_rng(8)
    partitions = []
    for part in range(9):
        n = int(rng.integers(1, 6))
        values = {
            "mag": (18 + part + rng.random(n)).astype("f4").tolist(),
            "half": rng.normal(part, 1, n).astype("f2").tolist(),
            "z": [None if one < 0.3 else one for one in rng.random(n).tolist()],
            "count": [
                None if one == 0 else one + 2**60 + part for one in rng.integers(0, 4, n).tolist()
            ],
            "big": (rng.integers(0, 5, n).astype("u8") + np.uint64(2**63 + part)).tolist(),
            "word": [
                ["QSO", "STAR", None, "\N{GREEK SMALL LETTER ALPHA}"][k]
                for k in rng.integers(0, 4, n)
            ],
            "flag": [bool(k) for k in rng.integers(0, 2, n)],
        }
        ids = pa.array(part * 10 + rng.permutation(9)[:n])
        columns = {name: pa.array(values[name], kind) for name, kind in COLUMNS.items()}
        place = {"ra": pa.array(rng.uniform(0, 360, n)), "dec": pa.array(rng.uniform(-5, 5, n))}
        table = {"object_id": ids, **place, **columns, "spectrum": spectra(n, rng)}
        partitions.append(pa.table(table))
    return write_hats(tmp_path_factory.mktemp("trees") / "small", partitions, row_group_size=2)


NUMBERS = st.one_of(
    st.integers(-3, 30),
    st.sampled_from([2**60 + 3, 2**60 + 5, 2**63 + 4, 0.5, 22.1, 1e300]),
    st.floats(-2, 30).map(lambda x: round(x, 2)),
)
CLAUSES = st.one_of(
    st.builds(
        "{} {} {!r}".format,
        st.sampled_from(["mag", "half", "z", "count", "big", "ra", "object_id"]),
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        NUMBERS,
    ),
    st.builds("{!r} < {} <= {!r}".format, NUMBERS, st.sampled_from(["mag", "z", "dec"]), NUMBERS),
    st.builds(
        "word {} {!r}".format,
        st.sampled_from(["==", "<", ">=", "!="]),
        st.sampled_from(["QSO", "R", "STAR", "\N{GREEK SMALL LETTER ALPHA}", ""]),
    ),
    st.builds("{} in {!r}".format, st.sampled_from(["object_id", "count"]), st.lists(NUMBERS)),
    st.sampled_from(["flag", "not flag", "mag - z < 20", "mag < half", "word not in ['QSO']"]),
)
CONDITIONS = st.recursive(
    CLAUSES,
    lambda inner: st.builds(
        "({}) {} ({})".format, inner, st.sampled_from(["and", "and", "or"]), inner
    ),
    max_leaves=4,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(where=CONDITIONS)
def test_what_is_pushed_down_chooses_what_a_plain_selection_does(small, tmp_path_factory, where):
    survey = shared(small, tmp_path_factory)

    def chosen(dataset):
        try:
            return select(dataset, where=where)
        except FmbError as error:
            told = str(error)
            return "nothing left" if "leaves no" in told else told.rpartition(": ")[2]

    pushed, plain = chosen(survey), chosen(survey.whole)
    if isinstance(plain, str) or isinstance(pushed, str):
        assert pushed == plain
        return
    assert pushed.ids.tolist() == plain.ids.tolist()
    pd.testing.assert_frame_equal(pushed.catalog, plain.catalog)
    assert pushed.catalog.attrs == plain.catalog.attrs
    assert pushed.identity == plain.identity
    one, other = (s.inputs["spectrum"] for s in (pushed, plain))
    assert np.array_equal(one.origin, other.origin)
    rows = np.arange(len(plain))
    read = [s.read(rows).inputs["spectrum"].flux for s in (pushed, plain)]
    assert np.array_equal(*read)


_OPENED = {}


def shared(root, factory):
    from fmb.datasets import open_dataset

    if root not in _OPENED:
        cache = factory.mktemp("home") / "data"
        _OPENED[root] = open_dataset(str(root), settings=SAID, cache=cache)
    return _OPENED[root]


def test_a_misspelt_column_is_named_as_without_push_down(small, tmp_path_factory):
    survey = shared(small, tmp_path_factory)
    for dataset in (survey, survey.whole):
        with pytest.raises(FmbError, match=r"no column is called 'magg'; did you mean 'mag'"):
            select(dataset, where="magg < 3")


def test_of_a_million_rows_only_partitions_that_may_hold_a_match_are_opened(
    tmp_path, opened, monkeypatch
):
    rng, n = np.random.default_rng(0), 10_000
    table = partial(pa.table, {"spectrum": spectra(n, rng), "zwarn": np.zeros(n, "i4")})
    plain = table()
    partitions = [
        plain.append_column("object_id", pa.array(np.arange(n) + part * n))
        .append_column("ra", pa.array(np.sort(rng.uniform(3.6 * part, 3.6 * (part + 1), n))))
        .append_column("dec", pa.array(rng.uniform(-1, 1, n)))
        for part in range(100)
    ]
    tree = write_hats(tmp_path / "million", partitions)
    touched = set()
    plain_open = pa.OSFile

    def counted(place, *args):
        touched.add(place)
        return plain_open(place, *args)

    survey = opened(tree, **SAID)  # described: footers only
    monkeypatch.setattr(pa, "OSFile", counted)
    survey = opened(tree, **SAID)
    assert not touched
    found = select(survey, where="ra >= 180.5 and ra < 181 and zwarn == 0")
    assert {place.rsplit("=")[-1] for place in touched} == {"50.parquet"}
    expected = np.concatenate([one["ra"].to_numpy() for one in partitions])
    expected = np.flatnonzero((expected >= 180.5) & (expected < 181))
    assert found.ids.tolist() == expected.tolist()
    assert len(expected) > 1000
    found.read(np.arange(0, len(found), 100))
    assert len(touched) == 1


@pytest.mark.parametrize(
    ("text", "columns", "limits"),
    [
        ("mag < 22 and zwarn == 0", {"mag", "zwarn"}, [("mag", "<", 22), ("zwarn", "==", 0)]),
        ("18 < mag <= 22", {"mag"}, [("mag", ">", 18), ("mag", "<=", 22)]),
        ("kind in ['a', 'b']", {"kind"}, [("kind", "==", "a", "b")]),
        ("`my mag` >= -1.5", {"my mag"}, [("my mag", ">=", -1.5)]),
        ("mag < 22 or z < 1", {"mag", "z"}, []),
        ("not mag < 22", {"mag"}, []),
        ("mag - z < 3 and mag != 4", {"mag", "z"}, []),
    ],
)
def test_a_condition_tells_what_it_asks_of_single_columns(text, columns, limits):
    condition = Where(text)
    assert condition.columns == columns
    assert [(one.column, one.sign, *one.values) for one in condition.limits] == limits


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">=", "=="])
@pytest.mark.parametrize("ends", [(1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (1, 3)])
def test_a_limit_rules_out_just_the_ranges_without_such_a_value(sign, ends):
    holds = {"<": (lambda x: x < 2), "<=": (lambda x: x <= 2), ">": (lambda x: x > 2)}
    holds |= {">=": (lambda x: x >= 2), "==": (lambda x: x == 2)}
    expected = any(map(holds[sign], np.arange(ends[0], ends[1] + 0.5, 0.5)))
    assert Limit("x", sign, (2,)).may_hold(*ends) == expected


def few(n=3, **columns):
    rng = np.random.default_rng(4)
    place = {"ra": rng.uniform(0, 360, n), "dec": rng.uniform(-5, 5, n)}
    return pa.table({"object_id": np.arange(n), **place, **columns, "spectrum": spectra(n, rng)})


def renumbered(table, first):
    return table.set_column(0, "object_id", pa.array(np.arange(len(table)) + first))


def test_short_floats_are_compared_as_rounded_when_partitions_are_ruled_out(tmp_path, opened):
    mag = np.array([22.1, 22.2, 22.3], dtype="f4")  # the first is 22.1000004 in float64
    parts = [few(mag=mag + 5), renumbered(few(mag=mag), 3)]
    survey = opened(write_hats(tmp_path / "t", parts), **SAID)
    assert select(survey, where="mag <= 22.1").ids.tolist() == [3]
    assert select(survey, where="mag == 22.1").ids.tolist() == [3]


def test_partitions_without_statistics_are_all_looked_at(tmp_path, opened):
    parts = [few(mag=[1.0, 1.0, 1.0]), renumbered(few(mag=[1.0, 2.0, 3.0]), 3)]
    tree = write_hats(tmp_path / "t", parts, write_statistics=False)
    assert select(opened(tree, **SAID), where="mag > 2.5").ids.tolist() == [5]


def test_objects_are_in_the_order_of_the_numbers_of_their_partitions(tmp_path, opened):
    parts = [renumbered(few(), 3 * k) for k in range(12)]
    survey = opened(write_hats(tmp_path / "t", parts), **SAID)
    assert survey.ids.tolist() == list(range(36))
