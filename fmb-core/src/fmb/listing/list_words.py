"""Lists by words: which list somebody means, and the few words that say which."""

from collections.abc import Collection, Sequence
from difflib import get_close_matches

from fmb.contract.names import ListName
from fmb.messages.errors import UnknownNameError

__all__ = ["Lists", "list_called", "words_for"]

KINDS = ("given", "raw")
NAMED = 8
"""Lists that an error names."""


class Lists(list[ListName]):
    """Lists of a run, shown one a line: words that pick it, and its name in files."""

    def __repr__(self) -> str:
        words = [words_for(name, self) for name in self]
        width = max(map(len, words), default=0)
        return "\n".join(
            f"{few:<{width}}  {name.stem}" for few, name in zip(words, self, strict=True)
        )


def list_called(called: ListName | str, lists: Sequence[ListName], run: str) -> ListName:
    """The one list that is meant.

    Args:
        called: its name, as printed or as in files; or words of it in any order, of the label of
            its detector, its view or one of its views, the labels of its model and its embedder,
            and "given" or "raw", which it is; a list of the view that is named comes before one of
            it and others.
        lists: those of the run.
        run: what the run is called, for the message.

    Raises:
        UnknownNameError: no list has all these words, or several have.
    """
    for name in lists:
        if called in (name, name.stem, str(name)):
            return name
    text = str(called)
    found = _with_words(text.split(), lists)
    whole = [name for name in found if _own_words(name).issuperset(text.split())]
    for one in (found, whole):
        if len(one) == 1:
            return one[0]
    if found:
        raise UnknownNameError(
            f"{text!r} names {len(found)} lists of run {run!r}: {_named(found)}; add a word, for"
            f" instance {words_for(found[0], lists)!r}"
        )
    raise UnknownNameError(
        f"run {run!r} has no list {text!r}; it has {_named(lists)}{_meant(text, lists)}"
    )


def words_for(name: ListName, lists: Sequence[ListName]) -> str:
    """The fewest words that pick a list among those of its run: its detector and view, or more."""
    words = [name.detector, name.view, name.model, name.embedder, _kind(name)]
    for count in range(1 if "+" in name.view else 2, len(words) + 1):
        if _with_words(words[:count], lists) == [name]:
            return " ".join(words[:count])
    return name.stem


def _own_words(name: ListName) -> set[str]:
    return {name.detector, name.view, name.model, name.embedder, _kind(name)}


def _words(name: ListName) -> set[str]:
    joined = (name.view, name.model, name.embedder)
    parts = (part for one in joined for part in one.split("+"))
    return {*_own_words(name), *parts}


def _kind(name: ListName) -> str:
    return "given" if name.given else "raw"


def _with_words(words: Collection[str], lists: Sequence[ListName]) -> list[ListName]:
    found = [name for name in lists if words and _words(name).issuperset(words)]
    # A label may be one of these words too: then it is meant, and else the kind of list.
    labelled = [name for name in found if name.detector in words and name.detector in KINDS]
    return labelled or [name for name in found if _kind(name) in words] or found


def _meant(text: str, lists: Sequence[ListName]) -> str:
    """A hint at what was misspelt, "" where nothing is near."""
    known = dict.fromkeys(word for name in lists for word in (*sorted(_words(name)), name.stem))
    words = text.split()
    near = [w if w in known else "".join(get_close_matches(w, known, n=1)) for w in words]
    return f"; did you mean {' '.join(near)!r}?" if all(near) and near != words else ""


def _named(lists: Sequence[ListName]) -> str:
    more = f" and {len(lists) - NAMED} more" if len(lists) > NAMED else ""
    return ", ".join(name.stem for name in lists[:NAMED]) + more
