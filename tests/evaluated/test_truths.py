"""What `fmb evaluate` takes for known, and that it measures it once."""

import numpy as np
import pandas as pd
from known_objects import N, results, value


def test_copies_are_judged_in_place_of_their_hosts(run):
    found = results(run, "planted", "--looks", "10")
    strong = value(found, "recall_top_percent", kind="far", strength=1.0)
    assert (strong["value"], strong["n"], strong["n_positive"]) == (1, N, 30)
    assert value(found, "shift", kind="far", strength=0.0)["value"] == 0
    same = value(found, "shift", kind="same")
    assert (same["value"], same["low"], same["high"]) == (0, 0, 0)
    half = value(found, "strength_at_half_recall", kind="far")["value"]
    assert 0 < half <= 0.5  # 10 sigma at strength 0.5
    assert {r["survey"] for r in found} == {"own vectors"} or len({r["survey"] for r in found}) == 1


def test_a_second_evaluation_measures_nothing_and_prints_the_same(run, home):
    first = run("evaluate", "planted", "--looks", "10")
    assert first.exit_code == 0, first.stderr
    kept = {path: path.stat().st_mtime_ns for path in (home / "results").iterdir()}
    second = run("evaluate", "planted", "--looks", "10")
    assert second.stdout == first.stdout
    assert f"note: 0 of {len(kept):,} results are new" in second.stderr
    assert kept == {path: path.stat().st_mtime_ns for path in (home / "results").iterdir()}
    run("evaluate", "planted", "--looks", "20")
    assert len(list((home / "results").iterdir())) == 2 * len(kept)


def test_the_table_fits_a_screen_and_tells_controls_apart(run):
    shown = run("evaluate", "planted", "--looks", "10").stdout
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].split()[:3] == ["far", "gaussian", "v"]
    control = next(line for line in lines if line.startswith("same"))
    assert control.split()[-1] == "yes"
    assert "by chance: AUROC 0.5, top 1 % 0.01, 0.1 in 10 looks (taken to be 1.00% of all)" in shown


def test_a_column_is_truth_and_objects_without_a_value_are_left_out(run):
    found = results(run, "plain", "--truth", "kind=odd")
    one = value(found, "auroc")
    assert (one["n"], one["n_positive"]) == (N - 70, 30)
    assert one["value"] > 0.9
    assert {r["kind"] for r in results(run, "plain", "--truth", "kind")} == {"odd"}


def test_a_list_of_ids_and_one_of_places_are_the_same_truth(run, tmp_path):
    (tmp_path / "mine.txt").write_text("\n".join(map(str, range(30))))
    table = np.load(tmp_path / "plain.npz")
    shifted = table["dec"][:30] + 0.5 / 3600
    pd.DataFrame({"RA": table["ra"][:30], "Dec": shifted}).to_csv(tmp_path / "sky.csv", index=False)
    pd.DataFrame({"object_id": np.arange(30)}).to_parquet(tmp_path / "ids.parquet")
    by = [results(run, "plain", "--truth", name) for name in ("mine.txt", "sky.csv", "ids.parquet")]
    assert by[0] == by[1] == by[2]
    assert (by[0][0]["n"], by[0][0]["n_positive"]) == (N, 30)
    told = run("evaluate", "plain", "--truth", "sky.csv", "--within", "0.1")
    assert "no object lies within 0.1 arcsec of one of its 30 positions" in told.stderr


def test_what_a_list_names_that_is_not_there_is_counted(run, tmp_path):
    (tmp_path / "mine.txt").write_text("\n".join(map(str, [1, 2, 7_000_001])))
    told = run("evaluate", "plain", "--truth", "mine.txt")
    assert "mine.txt: 1 of its 3 ids are not in run 'plain'" in told.stderr
    table = np.load(tmp_path / "plain.npz")
    ra, dec = (table[name][:2].tolist() for name in ("ra", "dec"))
    # The last is over the pole: as an angle it would be the place of the second object.
    beyond = (ra[1] + 180) % 360, 180 - dec[1]
    places = {"ra": [*ra, 10.0, 10.0, beyond[0]], "dec": [*dec, np.nan, 89.0, beyond[1]]}
    pd.DataFrame(places).to_csv(tmp_path / "sky.csv", index=False)
    told = run("evaluate", "plain", "--truth", "sky.csv")
    assert "sky.csv: 2 of its 5 rows have no position on the sky" in told.stderr
    assert "sky.csv: 1 of its 3 positions are of no object within 1 arcsec" in told.stderr
    assert "name" not in told.stderr


def test_what_a_list_names_twice_counts_once_and_is_told(run, tmp_path):
    (tmp_path / "once.txt").write_text("1\n2\n")
    (tmp_path / "twice.txt").write_text("1\n2\n2\n1\n2\n")
    table = np.load(tmp_path / "plain.npz")
    places = {name: table[name][[1, 2, 2]] for name in ("ra", "dec")}
    pd.DataFrame(places).to_csv(tmp_path / "sky.csv", index=False)
    told = run("evaluate", "plain", "--truth", "twice.txt")
    assert "twice.txt: 5 of its rows name 2 objects, each counts once" in told.stderr
    told = run("evaluate", "plain", "--truth", "sky.csv")
    assert "sky.csv: 3 of its rows name 2 objects, each counts once" in told.stderr
    once, twice = (results(run, "plain", "--truth", name) for name in ("once.txt", "twice.txt"))
    assert once == twice


def test_a_view_that_is_said_to_show_a_kind_is_part_of_the_record(run):
    (told,) = {r["declared_view"] for r in results(run, "plain", "--truth", "kind", "--view", "v")}
    assert told == "v"


def test_labels_are_truth(run, tmp_path):
    (tmp_path / "mine.txt").write_text("\n".join(map(str, range(30))))
    assert run("label", "plain", "lens", "--ids", "mine.txt").exit_code == 0
    one = value(results(run, "plain", "--truth", "labels:lens"), "auroc")
    assert one["n_positive"] == 30
    assert one["value"] == value(results(run, "plain", "--truth", "mine.txt"), "auroc")["value"]
