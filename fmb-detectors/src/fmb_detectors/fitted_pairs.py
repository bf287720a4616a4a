"""The fit of a detector of pairs: what fits together, what is strange alone, and who stands in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from fmb import Array, Pairs
from fmb_detectors.canonical import LARGEST, Canonical, Components, Directions, canonical
from fmb_detectors.pair_sums import Fold, Sample, SummedPairs, drawn_bits
from fmb_detectors.ratio import Halves, Ratio
from fmb_detectors.strangers import NUMBERS, Alike, Strangers, catalogue

__all__ = ["FittedPairs", "Known", "fit_pairs"]

STRANGERS = 4096
"""Pairs that strangers are chosen among at most: all that four parts keep."""
FEW = 100
"""Fitted pairs below which a list says so."""


@dataclass(frozen=True, eq=False)
class Known:
    """Fitted pairs as directions see them that have not seen these pairs."""

    sample: Sample
    inner: Array
    """(m,), which inner fold each is in."""
    halves: Halves


@dataclass(frozen=True, eq=False)
class FittedPairs:
    """A fit that scores pairs it has not seen."""

    canonical: Canonical
    ratio: Ratio
    bounds: Array
    """(2,): distance from the mean of its view above which a half is in its top 2 %."""
    strangers: Strangers

    def halves(self, x: Pairs) -> Halves:
        """Both halves of pairs, as the fit sees them."""
        return Halves.of(self.canonical, x.a, x.b)

    def places(self, x: Pairs, halves: Halves, own: Array, k: int) -> tuple[Array, Array]:
        """`Strangers.rank` of pairs whose ratios are known."""
        left, _ = self.ratio.halves(halves.u, halves.v)
        roles = catalogue(x.columns, len(x))
        return self.strangers.rank(own, left, drawn_bits(x.ids), roles, k)

    @property
    def effective(self) -> float:
        """Number of canonical correlations that count; 0 where none is confirmed."""
        return round(self.ratio.effective, 2) if self.canonical.confirmed else 0.0

    def report(self) -> dict[str, Any]:
        """What the manifest of a run says of the fit."""
        fit, ratio = self.canonical, self.ratio
        return {
            "n": fit.n,
            "components": [fit.a.axes.shape[1], fit.b.axes.shape[1]],
            "correlations": [round(float(rho), 4) for rho in ratio.rho[:10]],
            "effective": self.effective,
        }

    def remarks(self) -> list[str]:
        """What a reader of the list must know, the same of every fit to about as many pairs."""
        if self.canonical.n < FEW:
            return [
                f"fewer than {FEW} fitted pairs: few correlations or none can be told from chance,"
                " so most mismatches are not seen"
            ]
        if not self.canonical.confirmed:
            return [
                "no correlation of the two views holds on pairs that were not fitted: the order of"
                " this list is noise"
            ]
        if (self.ratio.rho >= LARGEST).all():
            return [
                "one view follows from the other, so nothing can fail to fit and the order of this"
                " list is noise; are both the same vectors?"
            ]
        if not self.strangers.alike.known:
            return ["no catalogue role is known, so strangers are alike in nothing"]
        return []

    def arrays(self) -> dict[str, Array]:
        """What is saved of it."""
        fit, strangers = self.canonical, self.strangers
        columns = strangers.alike.columns
        classes, codes = np.unique(columns["class"], return_inverse=True)
        text = "\n".join(classes.tolist()).encode()
        return {
            **_taken("a", fit.a),
            **_taken("b", fit.b),
            **_taken("directions", fit.directions),
            "rho": self.ratio.rho,
            "numbers": np.array([fit.n, fit.confirmed], dtype=np.float64),
            "bounds": self.bounds,
            "bits": strangers.bits,
            "partner": strangers.partner,
            "roles": np.column_stack([columns[role] for role in NUMBERS]),
            "class": codes.astype(np.int64),
            "classes": np.frombuffer(text, dtype=np.uint8),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> "FittedPairs":
        """The fit of which `arrays` is what was saved."""
        a, b = (_put(Components, side, arrays) for side in ("a", "b"))
        n, confirmed = arrays["numbers"].tolist()
        directions = _put(Directions, "directions", arrays)
        fit = Canonical(a, b, directions, (), arrays["rho"], bool(confirmed), int(n))
        classes = np.array(arrays["classes"].tobytes().decode().split("\n"))
        columns = {role: arrays["roles"][:, i] for i, role in enumerate(NUMBERS)}
        alike = Alike({**columns, "class": classes[arrays["class"]]})
        strangers = Strangers(arrays["bits"], arrays["partner"], alike)
        return cls(fit, Ratio(arrays["rho"]), arrays["bounds"], strangers)


def fit_pairs(sums: SummedPairs, share: float, most: int) -> tuple[FittedPairs, Known]:
    """The fit to pairs of which there are sums, and its sample as seen from outside.

    Args:
        sums: over the fitted pairs.
        share: of the variance of each view that its components keep.
        most: components of a view.

    Raises:
        DataError: the vectors of one view are all alike.
    """
    folds = sums.folds()
    fit = canonical([fold.joint for fold in folds], sums.width, sums.views, share, most)
    sample, inner = _sample(folds)
    seen, unseen = Halves.seen_and_not(fit, sample.a, sample.b, inner)
    ratio = Ratio(fit.rho)
    _, partner = ratio.halves(seen.u, seen.v)
    strangers = Strangers(sample.bits, partner.astype(np.float32), Alike(sample.columns))
    fitted = FittedPairs(fit, ratio, unseen.own_bounds(), strangers)
    return fitted, Known(sample, inner, unseen)


def _sample(folds: Sequence[Fold]) -> tuple[Sample, Array]:
    """Pairs of all inner folds, and which of them each is in."""
    samples = [fold.sample for fold in folds]
    inner = np.repeat(np.arange(len(folds)), [len(one.bits) for one in samples])
    order = np.argsort(np.concatenate([one.bits for one in samples]))[:STRANGERS]
    return Sample.joined(samples, STRANGERS), inner[order]


def _taken(name: str, whole: Any) -> dict[str, Array]:
    return {f"{name}.{f.name}": np.asarray(getattr(whole, f.name)) for f in fields(whole)}


def _put(cls: Any, name: str, arrays: Mapping[str, Array]) -> Any:
    return cls(**{f.name: arrays[f"{name}.{f.name}"] for f in fields(cls)})
