"""Which objects of a list are shown, by their labels; ranks and scores stay what they are."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from fmb.contract.arrays import Array
from fmb.messages.errors import UnknownNameError, did_you_mean

__all__ = ["Classes", "Shown"]

Classes = str | Iterable[str]
"""One class or several."""


@dataclass(frozen=True)
class Shown:
    """Classes to leave out, and classes to keep to; () = no such wish."""

    without: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    only_mismatch: bool = False
    """Leave out of lists of pairs what is strange in one view alone."""

    @classmethod
    def of(cls, without: Classes, only: Classes, only_mismatch: bool = False) -> "Shown":
        """As a user says it: one class or several."""
        each = [(one,) if isinstance(one, str) else tuple(one) for one in (without, only)]
        return cls(each[0], each[1], only_mismatch)

    def __bool__(self) -> bool:
        return bool(self.without or self.only or self.only_mismatch)

    @property
    def stem(self) -> str:
        """A part of a file name, "" when everything is shown."""
        parts = (("only", self.only), ("without", self.without))
        words = [word for head, names in parts if names for word in (head, *names)]
        return "-".join([*words, *(["only.mismatch"] if self.only_mismatch else [])])

    def check(self, known: Collection[str]) -> None:
        """Refuse a class that no object was ever given.

        Raises:
            UnknownNameError: there is one; names the nearest.
        """
        for name in (*self.without, *self.only):
            if name not in known:
                hint = did_you_mean(name, sorted(known)) or "; `fmb label` gives labels"
                raise UnknownNameError(f"no object was ever labelled {name!r}{hint}")

    def keeps(self, classes: Array) -> Array:
        """(n,), bool: which objects are shown, of classes (n,), str, "" = none."""
        kept = ~np.isin(classes, self.without)
        return kept & np.isin(classes, self.only) if self.only else kept

    def line(self, hidden: int) -> str:
        """How many are not shown and why: "7 not shown, labelled artefact"."""
        why = [
            f"labelled {' or '.join(self.without)}" if self.without else "",
            f"not labelled {' or '.join(self.only)}" if self.only else "",
            "strange in one view alone" if self.only_mismatch else "",
        ]
        return f"{hidden:,} not shown, {' or '.join(filter(None, why))}"
