"""What a reader of results must know: records, so that no code searches a sentence."""

from dataclasses import dataclass

__all__ = ["Note"]


@dataclass(frozen=True)
class Note:
    """One thing to know.

    The core's codes: simulated, random-weights, small-weights, unverified-weights, out-of-domain,
    data (of the survey itself), labels (what is not shown), detector, fold-shift and
    small-survey (of fits), alike (of percentiles among alike).
    """

    code: str
    """What kind of thing it is, for code that asks."""
    text: str
    """The line that people read."""
    about: str = ""
    """Title of the only list that it concerns, as `str(ListName)`; "" = all that a run holds."""

    def __str__(self) -> str:
        return self.text
