"""What the data of runs are called side by side."""

from fmb.listing.data_titles import told_apart


def titles(*pairs):
    return [row["data"] for row in told_apart({"data": d, "source": s} for d, s in pairs)]


def test_a_name_of_one_place_stays_a_name():
    assert titles(("tiny", "/a/tiny"), ("tiny", "/a/tiny"), ("own vectors", "")) == [
        "tiny", "tiny", "own vectors",
    ]  # fmt: skip


def test_one_name_of_several_places_is_the_end_of_each_path():
    found = titles(("as_shipped", "/x/deep2/as_shipped"), ("as_shipped", "/x/sdss/as_shipped"))
    assert found == ["deep2/as_shipped", "sdss/as_shipped"]


def test_as_many_parts_are_told_as_it_takes():
    found = titles(("s", "/x/a/s"), ("s", "/y/a/s"), ("t", "/y/t"), ("s", "s"))
    assert found == ["x/a/s", "y/a/s", "t", "s"]


def test_a_run_without_a_path_keeps_its_name_beside_others():
    assert titles(("demo", ""), ("demo", "/a/demo"), ("demo", "/b/demo")) == [
        "demo", "a/demo", "b/demo",
    ]  # fmt: skip
