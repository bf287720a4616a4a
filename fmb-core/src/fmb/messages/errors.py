"""Errors a caller can catch; each says what, where and what to do, in one line."""

from collections.abc import Iterable

__all__ = [
    "AmbiguousNameError",
    "ConfigError",
    "DataError",
    "FailedError",
    "FmbError",
    "NotFittedError",
    "PluginError",
    "ScoreError",
    "SelectionError",
    "ShapeError",
    "StoppedError",
    "StoreError",
    "UnknownNameError",
    "WeightsError",
    "did_you_mean",
]


class FmbError(Exception):
    """A mistake the user can mend: the command line prints it as one line and exits with 2."""

    exit_code = 2


class ConfigError(FmbError):
    """A configuration key or value that no component takes."""


class UnknownNameError(FmbError):
    """A name that no plugin, run or weights folder answers to."""


class AmbiguousNameError(FmbError):
    """A bare name that two plugins claim."""


class PluginError(FmbError):
    """A plugin that could not be used, or did not keep its contract."""


class DataError(FmbError):
    """Survey data that cannot be read as declared."""


class SelectionError(DataError):
    """A `--where`, `--limit` or `--exclude` that selects nothing or cannot be evaluated."""


class ShapeError(FmbError):
    """Arrays whose shapes do not fit each other or the fitted component."""


class NotFittedError(FmbError):
    """A detector that was asked for scores before it was fitted."""


class ScoreError(FmbError):
    """Scores that are constant or not finite: a failure of the detector, not a result."""


class WeightsError(FmbError):
    """Weights that cannot be found, do not fit the model or are not safe to load."""


class StoreError(FmbError):
    """A run or embedding folder that is damaged or belongs to another configuration."""


class FailedError(FmbError):
    """The request was sound but could not be carried out, for instance on a full disk."""

    exit_code = 1


class StoppedError(FmbError):
    """The user stopped the command; what was finished is kept."""

    exit_code = 130


def did_you_mean(name: str, choices: Iterable[str], most: int = 1) -> str:
    """A hint to append to an error: the nearest choice, else all of them.

    Args:
        name: what the user typed.
        choices: the valid names, in the order in which they should be listed.
        most: how many near ones are named.

    Returns:
        Text starting with "; ", or "" when there is nothing to choose from.
    """
    from difflib import get_close_matches  # 2 ms that only a mistake has to wait for

    names = list(dict.fromkeys(choices))
    if not names:
        return ""
    close = get_close_matches(name, names, n=most, cutoff=0.6)
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    return f"; choose from {', '.join(names)}"
