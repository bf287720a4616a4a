"""What the core sees to for every detector, so that no author has to repeat it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from fmb.blocks.sound import require_sound, require_spread, widths
from fmb.contract.arrays import Array
from fmb.contract.vectors import Judged, Pairs, Vectors
from fmb.messages.errors import NotFittedError, PluginError, ShapeError
from fmb.scoring.ranking import check_finite

__all__ = ["Checked", "fit_together"]

_PROBED_ROWS = 64
_BOTH = "score_with_details"


class Checked:
    """A detector that is given sound input only and whose answers keep the contract.

    Input: finite values, of at least two objects and not all alike where it is fitted, of the
    fitted width where it scores. Answers: (n,) float64, finite. The input comes out as it went in.
    """

    def __init__(self, detector: Any, label: str) -> None:
        """Around a detector.

        Args:
            detector: a new one, of any scope.
            label: names it in messages: "detector 'wide', fold 2".
        """
        self.detector, self.label = detector, label
        self.offset = 0.0
        """Taken off every score, so that fits share one scale."""
        self._widths: tuple[int, ...] | None = None

    def fit(self, x: Judged, *, sound: bool = False) -> None:
        """Fit on `x`.

        Args:
            x: the objects.
            sound: their values were seen to be finite.

        Raises:
            DataError: a value is not finite, there are fewer than two objects, or all are alike.
            PluginError: the detector changes its input.
        """
        if not sound:
            require_sound(x, self.label)
        require_spread(x, self.label)
        _guarded(self.detector.fit, x, self.label, "fit")
        self._widths = widths(x)

    def add(self, x: Vectors | Pairs) -> None:
        """Take `x`, values that were seen to be finite, into the sums of a detector that has them.

        Raises:
            PluginError: the detector changes its input.
        """
        _guarded(self.detector.add, x, self.label, "add")
        self._widths = widths(x)

    def merge(self, other: "Checked") -> None:
        """Take the sums of another into this one's."""
        self.detector.merge(other.detector)
        self._widths = other._widths or self._widths

    def accept(self) -> "Checked":
        """Take scores of a detector that needs no fit."""
        self._widths = ()
        return self

    def score(self, x: Judged) -> Array:
        """Scores of `x`, (n,) float64, finite.

        Raises:
            NotFittedError: before `fit`.
            ShapeError: the vectors have another width than the fitted ones.
            DataError: a value is not finite.
            PluginError: the answer is no array of float64, or has another length.
            ScoreError: a score is not finite.
        """
        return self.judge(x)[0]

    def details(self, x: Judged, names: Sequence[str]) -> dict[str, Array]:
        """What the detector tells of each object: each of `names` -> (n,), float64.

        Raises:
            PluginError: it tells other columns than its record names, or of another length.
        """
        self._require_fit(x)
        require_sound(x, self.label)
        return self._table(_guarded(self.detector.details, x, self.label, "details"), x, names)

    def judge(
        self, x: Judged, names: Sequence[str] = (), *, sound: bool = False
    ) -> tuple[Array, dict[str, Array]]:
        """Scores of `x`, and what the detector tells of each object where it has to.

        Args:
            x: the objects.
            names: columns of its record.
            sound: their values were seen to be finite.

        Raises:
            FmbError: as `score` and `details`.
        """
        self._require_fit(x)
        if not sound:
            require_sound(x, self.label)
        if names and hasattr(self.detector, _BOTH):
            scores, told = _guarded(getattr(self.detector, _BOTH), x, self.label, _BOTH)
            return self._on_scale(scores, x), self._table(told, x, names)
        # Copied before anything else is asked: the detector may use its array again.
        scores = self._on_scale(_guarded(self.detector.score, x, self.label, "score"), x)
        told = _guarded(self.detector.details, x, self.label, "details") if names else {}
        return scores, self._table(told, x, names)

    def judge_left_out(
        self, x: Judged, groups: Array, names: Sequence[str]
    ) -> tuple[Array, dict[str, Array]]:
        """As `judge`, of the objects of `fit`, each as if those of its group were left out."""
        stage, method = "score_left_out", self.detector.score_left_out
        scores, told = _guarded(lambda given: method(given, groups), x, self.label, stage)
        values = self._column(scores, x, "score_left_out()")
        return values, self._table(told if names else {}, x, names)

    def _table(self, told: Any, x: Judged, names: Sequence[str]) -> dict[str, Array]:
        if not isinstance(told, Mapping) or set(told) != set(names):
            got = ", ".join(map(str, told)) if isinstance(told, Mapping) else type(told).__name__
            raise PluginError(
                f"{self.label}: details() gives {got or 'nothing'}, its record names"
                f" {', '.join(names)}"
            )
        return {name: self._column(told[name], x, f"details()[{name!r}]") for name in names}

    def report(self) -> dict[str, Any]:
        """Plain values for the run's manifest, {} where the detector has none."""
        return dict(self.detector.report()) if hasattr(self.detector, "report") else {}

    def _require_fit(self, x: Judged) -> None:
        if self._widths is None:
            raise NotFittedError(f"{self.label}: fit it before asking it for scores")
        given = widths(x)
        if self._widths and given != self._widths:
            old, new = (" and ".join(map(str, w)) for w in (self._widths, given))
            raise ShapeError(
                f"{self.label} was fitted on d={old}, got d={new}; embed both sets with the same"
                " model"
            )

    def _on_scale(self, scores: Any, x: Judged) -> Array:
        return self._column(scores, x, "score()") - self.offset

    def _column(self, values: Any, x: Judged, what: str) -> Array:
        """One number an object, as the contract has it; a copy: the detector may reuse its own."""
        masked = isinstance(values, np.ma.MaskedArray)
        if masked or not isinstance(values, np.ndarray) or values.dtype != np.float64:
            kind = values.dtype if isinstance(values, np.ndarray) else ""
            got = f"{'masked ' * masked}{kind} array" if kind else type(values).__name__
            raise PluginError(
                f"{self.label}: {what} returned a {got}; return a NumPy array of float64"
            )
        if values.shape != (len(x),):
            raise PluginError(
                f"{self.label}: {what} returned shape {values.shape} for {len(x):,} objects;"
                f" return ({len(x)},), one number an object in the order of the input"
            )
        check_finite(values, x.ids, self.label)
        return values.copy()


def fit_together(detectors: Sequence[Checked], samples: Iterator[Judged], label: str) -> None:
    """Fit each of `detectors`, which fit together, to its sample; guarded as `Checked.fit`.

    Args:
        detectors: new ones.
        samples: one a detector, of values that were seen to be finite; one is let go before the
            next is made.
        label: names all of them in messages.

    Raises:
        DataError: a sample has fewer than two objects, or all are alike.
        PluginError: the detector changes a sample, or leaves some untaken.
    """
    stage, taken = "fit_together", []

    def given() -> Iterator[Judged]:
        for detector in detectors:
            x = next(samples)
            require_spread(x, detector.label)
            taken.append(detector)
            with _unchanged(x, detector.label, stage):
                yield _read_only(x)
            detector._widths = widths(x)
            del x

    handed = given()
    with _blamed(label, stage):
        type(detectors[0].detector).fit_together([one.detector for one in detectors], handed)
    if len(taken) < len(detectors) or next(handed, None) is not None:
        raise PluginError(
            f"{label}: {stage}() takes {len(taken)} of {len(detectors)} samples; fit each detector"
            " to its own"
        )


def _guarded(method: Callable[[Any], Any], x: Judged, label: str, stage: str) -> Any:
    """What `method` returns for `x`; refuses a detector that writes into its input."""
    with _unchanged(x, label, stage), _blamed(label, stage):
        return method(_read_only(x))


@contextmanager
def _blamed(label: str, stage: str) -> Iterator[None]:
    """What is raised in here says where; a write into a read-only array is a broken contract."""
    try:
        yield
    except ValueError as error:
        if "read-only" in str(error):
            raise PluginError(_changed(label, stage)) from error
        error.add_note(f"raised in {stage}() of {label}")
        raise
    except Exception as error:
        error.add_note(f"raised in {stage}() of {label}")
        raise
    except SystemExit as error:
        raise PluginError(f"{label}: {stage}() calls sys.exit(); raise an error instead") from error


@contextmanager
def _unchanged(x: Judged, label: str, stage: str) -> Iterator[None]:
    """Refuses a change of `x`; torch writes through the read-only flag of an array it shares."""
    before = _probe(x)
    yield
    if _probe(x) != before:
        raise PluginError(_changed(label, stage))


def _changed(label: str, stage: str) -> str:
    return f"{label}: {stage}() changes its input; work on a copy"


def _read_only(x: Judged) -> Judged:
    """The same rows, without a copy, through arrays that refuse to be written."""
    return replace(x, **{f.name: _frozen(getattr(x, f.name)) for f in fields(x)})


def _frozen(value: Any) -> Any:
    """A read-only view of an array or of a mapping of arrays; anything else as it is."""
    if isinstance(value, np.ndarray):
        view = value.view()
        view.flags.writeable = False
        return view
    if isinstance(value, Mapping):
        return MappingProxyType({key: _frozen(item) for key, item in value.items()})
    return value


def _probe(x: Judged) -> list[bytes]:
    """A few rows of every array of numbers, spread evenly over the objects."""
    some = min(_PROBED_ROWS, len(x))
    rows = np.arange(some) * (len(x) - 1) // max(some - 1, 1)
    copies: list[bytes] = []
    for item in (getattr(x, f.name) for f in fields(x)):
        arrays = item.values() if isinstance(item, Mapping) else [item]
        copies += [
            a[rows].tobytes() for a in arrays if isinstance(a, np.ndarray) and a.dtype.kind in "fiu"
        ]
    return copies
