import numpy as np
import pandas as pd
import pytest

from fmb.conditions.where import Where
from fmb.contract.inputs import Batch, InputInfo
from fmb.datasets.selection import select
from fmb.messages.errors import DataError, SelectionError


class Catalogued:
    """A survey whose inputs are its row numbers."""

    warnings = ("simulated",)
    identity = {"name": "cat"}  # noqa: RUF012  never changed

    def __init__(self, ids, **columns) -> None:
        self.ids = np.asarray(ids)
        self.catalog = pd.DataFrame(columns, index=range(len(self.ids)))
        self.catalog.attrs["units"] = {"mag_r": "mag"}
        present = np.arange(len(self.ids)) % 2 == 0
        self.inputs = {"cam": InputInfo(kind="images", unit="nmgy", present=present)}

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, rows, inputs=None):
        return Batch(ids=self.ids[rows], inputs={}, rows={"cam": np.asarray(rows)})


@pytest.fixture
def survey():
    survey = Catalogued(
        [30, -1, 2**62 + 1, 7, 5],
        mag_r=[21.0, 19.0, np.nan, 23.0, 20.0],
        zwarn=np.array([0, 0, 0, 0, 4], dtype=np.uint8),
        target=pd.array([2**62 + 1, 1, None, 3, 4], dtype="Int64"),
        kind=["QSO", "STAR", "QSO", None, "GALAXY"],
        primary=[True, False, True, True, True],
    )
    survey.catalog["class"] = survey.catalog["kind"]
    survey.catalog["S/N"] = [1.0, 2.0, 3.0, 4.0, 5.0]
    return survey


def test_objects_come_in_canonical_order_whatever_the_file_has(survey):
    assert select(survey).ids.tolist() == [-1, 5, 7, 30, 2**62 + 1]
    words = Catalogued(["b", "B", "a10", "a9", "é"])
    assert select(words).ids.tolist() == ["B", "a10", "a9", "b", "é"]


def test_rows_catalogue_and_inputs_stay_together(survey):
    chosen = select(survey)
    assert chosen.catalog["mag_r"].tolist()[:3] == [19.0, 20.0, 23.0]
    assert chosen.catalog.attrs["units"] == {"mag_r": "mag"}
    assert chosen.inputs["cam"].present.tolist() == [False, True, False, True, True]
    assert chosen.read(np.array([2, 0])).ids.tolist() == [7, -1]
    assert chosen.warnings == ["simulated"]


def test_order_alone_does_not_change_the_identity(survey):
    assert select(survey).identity == survey.identity
    assert select(survey, limit=99).identity == survey.identity


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("mag_r < 22 and zwarn == 0", [-1, 30]),
        ("19 < mag_r <= 21", [5, 30]),
        ("mag_r != 19", [5, 7, 30]),  # a missing value fails every comparison
        ("not mag_r < 22", [7, 2**62 + 1]),
        ("mag_r < 19.5 or kind == 'GALAXY'", [-1, 5]),
        ("kind in ['QSO', 'STAR']", [-1, 30, 2**62 + 1]),
        ("kind not in ['QSO', 'STAR']", [5]),
        ("not kind in ['QSO', 'STAR']", [5, 7]),
        ("class == 'STAR'", [-1]),
        ("`S/N` > 4.5", [5]),
        ("primary and not zwarn == 4", [7, 30, 2**62 + 1]),
        ("mag_r - 2 * zwarn < 15", [5]),
        ("object_id == 4611686018427387905", [2**62 + 1]),
        ("object_id < 0", [-1]),
        ("target == 4611686018427387905", [30]),
        ("target == 4611686018427387904", None),
        ("-mag_r > -19.5", [-1]),
        ("kind == 'class'", None),
    ],
)
def test_conditions_select_what_they_say(survey, where, ids):
    if ids is None:
        with pytest.raises(SelectionError, match="leaves none of 5 objects"):
            select(survey, where=where)
    else:
        assert select(survey, where=where).ids.tolist() == ids


@pytest.mark.parametrize(
    ("where", "pattern"),
    [
        ("mag_R < 22", "no column is called 'mag_R'; did you mean 'mag_r'"),
        ("`S/M` < 22", "no column is called 'S/M'; did you mean 'S/N'"),
        ("__import__('os').system('true')", r"is not a condition"),
        ("mag_r.max() > 3", r"'mag_r.max\(\)' calls no function"),
        ("mag_r < round(zwarn)", r"'round\(zwarn\)' calls no function"),
        ("kind[0] == 'Q'", "is not a column, a number or text"),
        ("mag_r <", "invalid syntax; write for instance"),
        ("mag_r", "is not a yes-or-no column; compare it"),
        ("kind < 3", "compares text with a number"),
        ("kind * 2 == 3", "'kind' is text, not a number"),
        ("mag_r is 3", "compares with 'is'; write =="),
        ("1 < 2", "names no column"),
        ("1 / 0 < mag_r", r"'1 / 0' cannot be computed: division by zero"),
        ("kind in 'QSO'", "is not a list"),
        ("kind in mag_r", "is not a list"),
        ("lambda: 1", "."),
        ("", "."),
        ("(" * 500 + "mag_r" + ")" * 500, "."),
    ],
)
def test_a_condition_that_is_none_is_refused_in_one_line(survey, where, pattern):
    with pytest.raises(SelectionError, match=pattern) as caught:
        select(survey, where=where)
    assert "\n" not in str(caught.value)


def test_an_empty_selection_says_what_each_clause_keeps(survey):
    with pytest.raises(SelectionError) as caught:
        select(survey, where="mag_r < 20 and zwarn > 0 and class == 'QSO'")
    assert str(caught.value) == (
        "--where leaves none of 5 objects: 'mag_r < 20' keeps 1, 'zwarn > 0' keeps 1,"
        " \"class == 'QSO'\" keeps 2"
    )


def test_spaces_and_brackets_do_not_change_the_identity(survey):
    one = select(survey, where="mag_r<22 and (zwarn==0)").identity
    assert one == select(survey, where=" mag_r < 22  and zwarn == 0").identity
    assert one["selection"] == {"where": "mag_r < 22 and zwarn == 0"}
    assert one != select(survey, where="mag_r<22").identity


def many(n=400, seed=0):
    order = np.random.default_rng(seed).permutation(n)
    return Catalogued(10**15 + order, mag_r=order.astype(float))


def test_a_limit_takes_the_same_objects_in_any_order_of_the_file():
    assert select(many(), limit=40).ids.tolist() == select(many(seed=1), limit=40).ids.tolist()


def test_a_smaller_limit_is_part_of_a_larger_one():
    few, more = select(many(), limit=20), select(many(), limit=60)
    assert len(few) == 20
    assert set(few.ids) < set(more.ids)


def test_a_limit_is_a_fair_sample():
    # The mean of 100 of 0..399 without replacement has sigma 10.0; 4 sigma.
    mean = select(many(), limit=100).catalog["mag_r"].mean()
    assert abs(mean - 199.5) < 40
    assert set(select(many(), limit=100, seed=1).ids) != set(select(many(), limit=100).ids)


def test_a_limit_counts_what_the_condition_leaves():
    chosen = select(many(), where="mag_r < 50", limit=10)
    assert len(chosen) == 10
    assert (chosen.catalog["mag_r"] < 50).all()
    with pytest.raises(SelectionError, match="--limit 0: choose at least 1"):
        select(many(), limit=0)


def test_excluded_ids_are_left_out_and_strangers_are_reported(survey, tmp_path, caplog):
    listed = tmp_path / "known.txt"
    listed.write_text("object_id\n-1\n4611686018427387905  # seen before\n\n12345\n")
    chosen = select(survey, exclude=str(listed))
    assert chosen.ids.tolist() == [5, 7, 30]
    assert "1 of its 3 ids are not in the survey" in caplog.text
    assert "exclude" in chosen.identity["selection"]


def test_the_order_of_excluded_ids_does_not_change_the_identity(survey, tmp_path):
    identities = []
    for name, text in (("a", "5\n7\n"), ("b", "7\n5\n")):
        (tmp_path / name).write_text(text)
        identities.append(select(survey, exclude=str(tmp_path / name)).identity)
    assert identities[0] == identities[1]


@pytest.mark.parametrize(
    ("text", "error", "pattern"),
    [
        ("1\n2\n", SelectionError, "none of its 2 ids is in the survey"),
        ("# nothing\n", DataError, "holds no ids; write one a line"),
        (None, DataError, "list of ids cannot be read: No such file"),
        ("30\n-1\n4611686018427387905\n7\n5\n", SelectionError, "none of 5 objects is left: --exc"),
    ],
)
def test_a_list_of_ids_that_helps_nobody_is_refused(survey, tmp_path, text, error, pattern):
    path = tmp_path / "ids.txt"
    if text is not None:
        path.write_text(text)
    with pytest.raises(error, match=pattern):
        select(survey, exclude=str(path))


def test_a_condition_shows_itself_as_it_was_written():
    assert Where("`S/N` > 3 and class == 'A'").canonical == "`S/N` > 3 and class == 'A'"


class OnDemand(Catalogued):
    """A survey that writes down what it is asked to make."""

    def __init__(self, ids) -> None:
        super().__init__(ids, mag_r=np.arange(len(ids)))
        self.asked = []

    def make(self, inputs, progress) -> None:
        self.asked.append(list(inputs))
        progress(len(self), len(self))


@pytest.mark.parametrize(("limit", "asked"), [(None, [["cam"]]), (2, [["cam"]]), (1, [])])
def test_pixels_of_a_survey_are_made_where_at_least_half_of_it_is_chosen(limit, asked):
    survey, told = OnDemand([8, 3, 5, 1]), []
    select(survey, limit=limit).make(["cam"], lambda *numbers: told.append(numbers))
    assert survey.asked == asked
    assert told == [(4, 4)] * len(asked)


def test_a_survey_that_is_there_has_nothing_to_make(survey):
    told = []
    select(survey).make(["cam"], lambda *numbers: told.append(numbers))
    assert told == []


def test_only_the_ids_that_are_listed_are_taken_but_for_those_left_out(survey, tmp_path, caplog):
    wanted, unwanted = tmp_path / "wanted.txt", tmp_path / "unwanted.txt"
    wanted.write_text("7\n30\n-1\n99\n")
    unwanted.write_text("30\n")
    chosen = select(survey, include=str(wanted), exclude=str(unwanted))
    assert chosen.ids.tolist() == [-1, 7]
    assert "1 of its 4 ids are not in the survey" in caplog.text
    assert chosen.identity["selection"].keys() == {"include", "exclude"}


@pytest.mark.parametrize("column", ["split", "part"])
def test_a_split_is_the_objects_that_the_column_of_that_role_says(survey, column):
    survey.catalog[column] = ["train", "test", None, "train", "valid"]
    survey.catalog.attrs["roles"] = {"split": column}
    assert select(survey, split="train").ids.tolist() == [7, 30]
    with pytest.raises(SelectionError, match=rf"{column!r} has test, train, valid"):
        select(survey, split="holdout")


def test_options_that_leave_nothing_together_say_what_each_keeps(survey, tmp_path):
    survey.catalog["split"] = ["train", "test", None, "train", "valid"]
    (tmp_path / "no.txt").write_text("30\n")
    with pytest.raises(SelectionError) as caught:
        select(survey, where="mag_r < 22", split="train", exclude=str(tmp_path / "no.txt"))
    assert str(caught.value) == (
        "none of 5 objects is left: --where keeps 3, --split train keeps 2,"
        f" --exclude {tmp_path / 'no.txt'} keeps 4"
    )


def test_a_split_of_a_survey_without_one_says_how_to_name_it(survey):
    with pytest.raises(SelectionError, match=r'--split train: .* roles = \{ split = "COLUMN" \}'):
        select(survey, split="train")
