"""Detectors: a score of strangeness an object."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeVar, runtime_checkable

from fmb.contract.dataset import ROLES
from fmb.contract.spec import NOTHING, ComponentSpec

if TYPE_CHECKING:
    from fmb.contract.arrays import Array
    from fmb.contract.vectors import Members, Pairs, Vectors

__all__ = ["Detector", "DetectorSpec", "FitsTogether", "LeavesOut", "Summable"]

X = TypeVar("X", "Vectors", "Pairs", "Members", contravariant=True)


class DetectorSpec(ComponentSpec):
    """A method that gives each object a score; higher is stranger."""

    kind: ClassVar[str] = "detector"
    plural: ClassVar[str] = "detectors"
    example: ClassVar[str] = """\
yield DetectorSpec(name="norm", summary="Distance from the mean",
                   target="mypkg.norm:NormDetector", details={"distance": "sigma"})"""

    scope: Literal["single", "pair", "catalogue", "fusion"] = "single"
    """What it judges: vectors of one view, two views side by side, rows of the catalogue, which are
    vectors of roles, or the lists of others."""
    fitted: bool = True
    """False for a rule without parameters; such a detector is never cross-fitted."""
    persistent: bool = True
    """False for one that cannot be saved."""
    columns: tuple[str, ...] = ()
    """Catalogue roles it wants beside the vectors; see `fmb.contract.dataset.ROLES`."""
    details: Mapping[str, str] = NOTHING
    """Column of `details` -> its unit; "" for a number without one."""
    meanings: Mapping[str, str] = NOTHING
    """Column of `details` -> what it is, in a few words; `fmb object` says them."""
    first: str = "the strangest"
    """What stands first in its lists, as headings say it."""
    aside: str = ""
    """Column of `details`, above 0 for objects that `--only-mismatch` leaves out of its lists."""
    companion: bool = False
    """True when it runs beside what was asked for, wherever its inputs exist."""
    members: tuple[str, ...] = ()
    """Of a fusion: detectors that come along where nothing but fusions is asked for."""
    fused: bool = True
    """False where its head is no oddity of a kind that others show: only a fusion that names it
    takes its lists."""
    by_row: bool = False
    """Of a fusion: True for a rule that reads an object's own percentiles, and among how many they
    stand, and nothing else; its score never falls when one of them rises. It gets p-values."""

    def problem(self) -> str:
        """A role that no catalogue column can play, or a column that `details` has not."""
        if self.aside and self.aside not in self.details:
            return f"aside names {self.aside!r}, which is not in details"
        if strange := set(self.meanings) - set(self.details):
            return f"meanings names {min(strange)!r}, which is not in details"
        unknown = [role for role in self.columns if role not in ROLES]
        known = ", ".join(ROLES)
        return f"columns names {unknown[0]!r}, expected any of {known}" if unknown else ""


class Detector(Protocol[X]):
    """A score of strangeness. Constructed `(config, *, seed, device)`.

    The core sees to what every detector needs: values are finite, of at least two objects and not
    all alike; `score` comes after `fit`, with vectors of the fitted width. It gives `save` an empty
    folder that appears when it is whole.

    `details(x)`, optional, gives what the record's `details` names: column -> (n,) float64. The
    core calls it out of fold, as it does `score`. `score_with_details(x)`, optional, gives the pair
    of both where one pass over `x` does.
    `report()`, optional, gives plain values for the run's manifest after `fit`; "note" in it is
    told to the user, with the number of fits that say so.
    `require_lists(names)`, optional, of a rule that fuses: told the names of all lists before it
    scores objects, some of which may be in a few of them only; refuses options that fit none.
    """

    def fit(self, x: X) -> None:
        """Learn what is ordinary from `x`, which is not changed."""

    def score(self, x: X) -> "Array":
        """(n,), float64, higher is stranger, in the order of `x`.

        Scores mean the same after every fit (nats, distances), so that folds can be pooled. The
        arrays of `x` are read-only: `torch.tensor` copies them, `torch.from_numpy` does not.
        """

    def save(self, folder: Path) -> None:
        """Write the fitted state into `folder`, without pickles."""

    @classmethod
    def load(cls, folder: Path) -> "Detector[X]":
        """The detector that was saved in `folder`; it gives the same scores."""


@runtime_checkable
class Summable(Protocol):
    """A detector whose fit is a sum over objects, so that one pass gives the fits of all folds.

    `fit(x)` of a new one does what `add(x)` does; the parameters are taken from the sums when a
    score is first asked for.
    """

    def add(self, x: "Vectors | Pairs") -> None:
        """Take the objects of `x`, a part of a survey in any order, into the sums."""

    def merge(self, other: "Summable") -> None:
        """Take the sums of another into this one."""


@runtime_checkable
class LeavesOut(Protocol):
    """A detector that knows what it would say of each object it was fitted to, had it not been."""

    def score_left_out(self, x: "Vectors", groups: "Array") -> "tuple[Array, dict[str, Array]]":
        """Scores and details of `x`, the objects of `fit`, each without those of its group, int64.

        In cross-fitting they stand for those of folds where objects are few for their dimension.
        """


@runtime_checkable
class FitsTogether(Protocol):
    """A detector whose fits to several samples, as in cross-fitting, cost less in one go."""

    @staticmethod
    def fit_together(detectors: Sequence[Any], samples: Iterable[Any]) -> None:
        """Fit new ones, alike but for seeds, each to its sample, which is made when it is taken."""
