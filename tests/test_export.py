"""`fmb export`: a list as a file for other programs, with labels, places and where it is from."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from fmb import ConfigError, open_run
from fmb_surveys.export import export_lists

N = 80
BIG = 2**62 + 11 * np.arange(N)
"""Ids that no float holds."""
MODEL = ("--model", "astropt", "--weights", "random", "--detector", "gaussian")


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


def refused(result, *words):
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.stderr
    for word in words:
        assert word in result.stderr


@pytest.fixture
def detect(fmb, tmp_path):
    """A run of two lists with a catalogue: detect(*options, **columns)."""

    def run(*options, **columns):
        rng = np.random.default_rng(0)
        a, b = rng.normal(size=(N, 4)), rng.normal(size=(N, 3))
        a[3:5, 0] += 30  # the two strangest
        np.savez(tmp_path / "v.npz", object_id=BIG, a=a, b=b)
        table = pd.DataFrame({"object_id": BIG, "ra": np.arange(N) / 3, "dec": -np.arange(N) / 4})
        table.assign(**columns).to_csv(tmp_path / "c.csv", index=False)
        command = ["detect", "--embeddings", "v.npz", "--catalog", "c.csv", "--out", "mine"]
        done(fmb(*command, "--detector", "gaussian", "--no-companions", *options))
        return open_run("mine")

    return run


LIST_A, LIST_B = "own.as-is.a.gaussian", "own.as-is.b.gaussian"


def test_a_labelled_list_without_its_artefacts_opens_in_astropy(fmb, home, tmp_path, make_survey):
    def near_the_limit(arrays):
        arrays["object_id"] = 2**62 + 7 * np.arange(len(arrays["object_id"]))

    survey = make_survey(tmp_path / "tiny", n=40, change=near_the_limit)
    done(fmb("detect", *MODEL, "--view", "image", "--data", survey, "--out", "before"))
    artefacts = done(fmb("top", "before", "--ids", "-k", 3)).stdout.split()
    done(fmb("label", "before", "artefact", *artefacts))
    done(fmb("label", "before", "merger", 2**62))

    def ten_more(arrays):
        near_the_limit(arrays)
        objects = open_run("before").objects
        for column in ("ra", "dec"):
            arrays[column] = np.concatenate([objects[column], arrays[column][40:]])

    survey = make_survey(tmp_path / "tiny", n=50, change=ten_more)
    done(fmb("detect", *MODEL, "--view", "image", "--data", survey, "--out", "after"))
    told = done(fmb("export", "after", "--without", "artefact", "-o", "list.fits"))
    assert told.stdout == "list.fits\n"
    assert "3 not shown, labelled artefact" in told.stderr
    table = Table.read(tmp_path / "list.fits")
    ids = table["object_id"].tolist()
    whole = {2**62 + 7 * n for n in range(50)}
    assert sorted(ids) == sorted(whole - set(map(int, artefacts)))
    assert table["object_id"].dtype.kind == "i"
    labels = dict(zip(ids, np.ma.filled(table["class"].astype(str), ""), strict=True))
    assert {key: value for key, value in labels.items() if value} == {2**62: "merger"}
    scores = open_run("after").scores("astropt.mean.image.gaussian")
    ranks = dict(zip(open_run("after").objects["object_id"], scores["rank"], strict=True))
    assert [ranks[key] for key in ids] == table["rank"].tolist() == sorted(table["rank"])
    assert table["ra"].unit == "deg"
    assert "random" in " ".join(table.meta["comments"])


def test_the_long_table_has_a_row_for_each_object_and_list(detect, fmb, tmp_path):
    run = detect(mag=np.linspace(18, 22, N))
    run.label(BIG[:2], "lens", list=LIST_A)
    done(fmb("export", "mine", "-o", "long.parquet"))
    table = pd.read_parquet(tmp_path / "long.parquet")
    assert table["list"].value_counts().to_dict() == {LIST_A: N, LIST_B: N}
    for name in (LIST_A, LIST_B):
        part = table[table["list"] == name].set_index("object_id")
        expected = run.scores(name).set_index(run.objects["object_id"])
        assert part["rank"].is_monotonic_increasing
        for column in ("score", "rank", "percentile", "fold"):
            assert (part[column] == expected[column].loc[part.index]).all()
        assert part["mag"].loc[BIG[-1]] == 22
        assert part.loc[BIG[0], ["class", "ra"]].tolist() == ["lens", 0]
        assert "@" in part["class_by"][BIG[1]]
        assert part["class_time"][BIG[1]].endswith("+00:00")
        assert part["class"][BIG[2]] == ""


def test_the_top_of_each_list_is_that_of_the_command_top(detect, fmb, tmp_path):
    group = ["same" if n in (3, 4) else "" for n in range(N)]
    run = detect(group=group)
    done(fmb("export", "mine", "--top", 7, "-o", "top.ecsv"))
    table = Table.read(tmp_path / "top.ecsv")
    for name in (LIST_A, LIST_B):
        ids = table["object_id"][table["list"] == name].tolist()
        assert ids == run.top(7, list=name)["object_id"].tolist()
    done(fmb("export", "mine", "--list", LIST_B, "-o", "all.ecsv"))
    every = Table.read(tmp_path / "all.ecsv")
    assert len(every) == N
    assert every["object_id"][every["is_repeat"]].tolist() in ([BIG[3]], [BIG[4]])


def test_the_wide_table_has_columns_for_each_list(detect, fmb, tmp_path):
    run = detect("--reference", "aside == 1", aside=(np.arange(N) >= 50).astype(int))
    done(fmb("export", "mine", "--wide", "-o", "wide.fits"))
    table = Table.read(tmp_path / "wide.fits")
    assert len(table) == N
    by_id = {key: row for row, key in enumerate(table["object_id"].tolist())}
    for short, name in (("a_gaussian", LIST_A), ("b_gaussian", LIST_B)):
        scores = run.scores(name)
        for column, own in (("score", "score"), ("rank", "rank"), ("p_value", "p")):
            found = np.ma.filled(table[f"{own}_{short}"].astype(float), np.nan)
            rows = [by_id[key] for key in BIG.tolist()]
            expected = scores[column].to_numpy(dtype=float, na_value=np.nan)
            np.testing.assert_array_equal(found[rows], expected)
        assert int(np.ma.getmaskarray(table[f"fold_{short}"]).sum()) == 30
        assert table[f"is_repeat_{short}"].dtype == bool
    assert min(table["rank_a_gaussian"][0], table["rank_b_gaussian"][0]) == 1
    done(fmb("export", "mine", "--wide", "--top", 5, "-o", "best.fits"))
    best = Table.read(tmp_path / "best.fits")["object_id"].tolist()
    assert set(best) == set(run.top(5)["object_id"])


def test_the_wide_table_has_the_order_of_the_list_made_of_others(detect, fmb, tmp_path):
    run = detect("--fusion", "any-view")
    by = {"any-view": run.ranked("any-view")["object_id"].tolist()}
    ranks = [run.scores(name)["rank"].to_numpy(float) for name in (LIST_A, LIST_B)]
    by["best rank"] = BIG[np.argsort(np.minimum(*ranks), kind="stable")].tolist()
    assert by["any-view"] != by["best rank"]
    two = ("--list", LIST_A, "--list", LIST_B)
    for options, order in (((), "any-view"), (two, "best rank")):
        done(fmb("export", "mine", "--wide", *options, "-o", "wide.csv", "--force"))
        assert pd.read_csv(tmp_path / "wide.csv")["object_id"].tolist() == by[order]


def test_a_wide_table_in_parquet_opens_in_astropy_as_the_vo_has_it(detect, fmb, tmp_path):
    detect("--reference", "aside == 1", aside=(np.arange(N) >= 50).astype(int))
    done(fmb("export", "mine", "--wide", "-o", "wide.parquet"))
    table = Table.read(tmp_path / "wide.parquet", format="parquet.votable")
    assert sorted(table["object_id"].tolist()) == BIG.tolist()
    assert (str(table["ra"].unit), table["ra"].description) == ("deg", "right ascension")
    assert table["is_repeat_a_gaussian"].dtype == table["is_repeat_b_gaussian"].dtype == bool


def test_short_names_tell_models_and_detectors_apart(fmb, survey, tmp_path):
    command = ["detect", *MODEL, "--model", "other=astropt", "--data", survey, "--out", "mine"]
    done(fmb(*command, "--view", "image", "--detector", "wide=gaussian"))
    done(fmb("export", "mine", "--wide", "--top", 3, "-o", "x.ecsv"))
    names = [name for name in Table.read(tmp_path / "x.ecsv").colnames if name[:6] == "score_"]
    assert names == [
        f"score_{model}_image_{detector}"
        for model in ("astropt", "other")
        for detector in ("gaussian", "wide")
    ]


def test_columns_called_like_those_of_fmb_keep_their_values(detect, fmb, tmp_path):
    own = {"rank": 5, "view": "x", "catalog_rank": 6, "RA": 7.0, "score_a_gaussian": 8}
    detect(**{name: [value] * N for name, value in own.items()})
    for options, clash in (((), "view"), (("--wide",), "score_a_gaussian")):
        done(fmb("export", "mine", *options, "-o", "x.fits", "--force"))
        table = Table.read(tmp_path / "x.fits")
        assert len({name.lower() for name in table.colnames}) == len(table.colnames)
        assert table["catalog_RA"][0] == 7
        assert str(table[f"catalog_{clash}"][0]) in (str(own[clash]), "x")
    done(fmb("export", "mine", "-o", "x.parquet"))
    table = pd.read_parquet(tmp_path / "x.parquet")
    assert (table["catalog_rank"][0], table["catalog_catalog_rank"][0]) == (5, 6)


@pytest.mark.parametrize("name", ["class", "Class"])
def test_a_class_of_the_catalogue_keeps_its_name_and_labels_take_another(
    detect, fmb, tmp_path, name
):
    run = detect(**{name: [f"kind{n}" for n in range(N)]})
    run.label(BIG[:1], "lens")
    said = done(fmb("export", "mine", "--wide", "-o", "x.fits"))
    assert f"stand in label_class: the catalogue has a column '{name}'" in said.stderr
    table = Table.read(tmp_path / "x.fits")
    rows = dict(zip(table["object_id"].tolist(), table, strict=True))
    assert (str(rows[BIG[5]][name]), str(rows[BIG[0]]["label_class"])) == ("kind5", "lens")
    assert "@" in str(rows[BIG[0]]["label_class_by"])
    assert "catalog_class" not in {column.lower() for column in table.colnames}


def test_export_says_how_many_rows_of_how_many_objects_it_wrote(detect, fmb, tmp_path):
    detect()
    for options, told in (((), f"{2 * N} rows of {N} objects"), (("--top", 1, "--wide"), None)):
        said = done(fmb("export", "mine", *options, "-o", "x.csv", "--force"))
        n = len(pd.read_csv(tmp_path / "x.csv"))
        expected = told or ("1 row of 1 object" if n == 1 else f"{n} rows of {n} objects")
        assert f"note: {expected}\n" in said.stderr
        assert "label_class" not in said.stderr  # the catalogue has no such column


def test_the_header_says_where_it_is_from(fmb, survey, tmp_path):
    of = ("--data", survey, "--view", "image", "--folds", 5)
    done(fmb("detect", *MODEL, *of, "--out", "mine"))
    done(fmb("export", "mine", "-o", "x.parquet"))
    told = json.loads(pq.read_schema(tmp_path / "x.parquet").metadata[b"fmb"])
    run = open_run("mine")
    assert (told["run"], told["survey"]["name"], told["shown"]) == ("mine", "tiny", "all objects")
    assert told["notes"] == [note.text for note in run.notes]
    assert told["models"]["astropt"]["weights"] == run.manifest["models"]["astropt"]["weights"]
    (one,) = told["lists"]
    assert (one["fit"], one["reference"], one["ranked"]) == ("cross-fit, 5 folds", None, 40)
    assert told["detectors"] == {"gaussian": "gaussian"}


def test_a_file_that_is_there_is_replaced_on_demand_only(detect, fmb, tmp_path):
    detect()
    (tmp_path / "x.fits").write_text("mine")
    refused(fmb("export", "mine", "-o", "x.fits"), "x.fits", "--force")
    assert (tmp_path / "x.fits").read_text() == "mine"
    done(fmb("export", "mine", "-o", "x.fits", "--force"))
    assert len(Table.read(tmp_path / "x.fits")) == 2 * N
    assert done(fmb("export", "mine")).stdout == "mine.fits\n"
    assert done(fmb("export", "mine", "--format", "csv")).stdout == "mine.csv\n"
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith((".", "mine"))) == [
        "mine.csv", "mine.fits",
    ]  # fmt: skip


def test_a_request_that_cannot_be_met_is_one_line(detect, fmb):
    detect()
    refused(fmb("export", "mine", "--list", "own.as-is.c.gaussian"), "did you mean", LIST_B)
    refused(fmb("export", "mine", "-o", "x.txt"), "add --format")
    refused(fmb("export", "mine", "--format", "fit"), "did you mean 'fits'?")
    refused(fmb("export", "mine", "--only", "lens"), "'lens'")


def test_a_csv_says_that_it_keeps_no_units(detect, fmb, tmp_path):
    detect()
    said = done(fmb("export", "mine", "--list", LIST_A, "-o", "x.csv.gz"))
    assert "a CSV keeps no units and no provenance" in said.stderr
    assert sorted(pd.read_csv(tmp_path / "x.csv.gz")["object_id"]) == BIG.tolist()


def test_python_writes_the_file_that_the_command_writes(detect, fmb, tmp_path):
    run = detect()
    typed, called = tmp_path / "typed.csv.gz", tmp_path / "called.csv.gz"
    done(fmb("export", "mine", "--list", LIST_A, "--top", "5", "--wide", "-o", typed))
    assert export_lists(run, called, lists="a gaussian", top=5, wide=True) == called
    assert called.read_bytes() == typed.read_bytes()
    with pytest.raises(ConfigError, match="is there already"):
        export_lists(run, str(called))
    export_lists(run, str(called), force=True)
    done(fmb("export", "mine", "-o", typed, "--force"))
    assert called.read_bytes() == typed.read_bytes()
