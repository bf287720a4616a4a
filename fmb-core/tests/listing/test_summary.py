"""What a run says of itself keeps to 80 characters, whatever things are called."""

from fmb.contract.names import ListName, VectorName
from fmb.labels.shown import Shown
from fmb.listing.list_words import Lists, words_for
from fmb.listing.summary import summary_lines

LONG = "a-label-of-more-letters-than-anybody-would-type-by-hand"


def told(lists, models=(), name="mine"):
    manifest = {
        "objects": {"rows": 2000, "sources": 1990},
        "dataset": {"name": LONG},
        "models": {label: {"weights": {"name": LONG}} for label in models},
        "lists": [{"ranked": 10**6} for _ in lists],
    }
    return list(summary_lines(name, manifest, lists, Shown()))


def of(detector, view, model="m"):
    return ListName(detector, (VectorName(model, "mean", view),))


def test_no_line_is_longer_than_eighty_characters():
    lists = Lists(of(f"{LONG}-{n}", f"{LONG}-view") for n in range(3))
    lines = told(lists, models=[f"{LONG}-{n}" for n in range(4)], name=LONG * 2)
    assert len(lines) > 4
    assert max(map(len, lines)) == 80


def test_of_many_lists_twelve_are_shown_and_the_rest_counted():
    lines = told(Lists(of("d", f"v{n}") for n in range(20)))
    assert lines[1] == "  d v0   1,000,000 ranked"
    assert lines[-1] == "  and 8 lists more: run.lists"
    assert len(lines) == 1 + 12 + 1


def test_words_grow_until_they_pick_one_list():
    pair = ListName("gap", (VectorName("m", "mean", "image"), VectorName("m", "mean", "spectrum")))
    lists = Lists([of("d", "image"), of("d", "image", "n"), of("d", "spectrum"), pair])
    words = [words_for(name, lists) for name in lists]
    assert words == ["d image m", "d image n", "d spectrum", "gap"]
