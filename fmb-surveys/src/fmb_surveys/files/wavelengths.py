"""Grids of spectra that cannot be what they are declared as."""

import numpy as np

from fmb import Array, DataError

__all__ = ["from_log10", "refuse_impossible"]

SHORTEST_AA = 10.0
"""A spectrum that ends below is one of X-rays, which no model here reads."""
LOGS = (2.5, 5.5)
"""log10 of 300 and 300,000 Angstrom."""
HIGHEST_LOG = 10.0
"""log10 of a metre in Angstrom."""


def from_log10(log_grid: Array, place: str) -> Array:
    """10 to the power of a grid.

    Args:
        log_grid: float64, NaN where unknown.
        place: names the dataset in messages.

    Raises:
        DataError: it holds no logarithms.
    """
    highest = np.max(log_grid, initial=-np.inf, where=np.isfinite(log_grid))
    if highest > HIGHEST_LOG:
        raise DataError(
            f"{place} is declared as loglam and holds numbers up to {highest:g}, which are no log10"
            " of wavelengths: declare it as wavelength (--wavelength of fmb data index)"
        )
    return np.asarray(10.0**log_grid)


def refuse_impossible(low_aa: float, high_aa: float, factor: float, place: str) -> None:
    """Refuse wavelengths that no spectrum has in the unit that is declared.

    Args:
        low_aa: the shortest, in Angstrom.
        high_aa: the longest.
        factor: one of the declared unit in Angstrom.
        place: names the dataset in messages.

    Raises:
        DataError: says what they look like, and how to declare that.
    """
    low, high = low_aa / factor, high_aa / factor
    # Micrometres run from 3 to 5 in the infrared; Angstrom and nanometres do not.
    if LOGS[0] <= low and high <= LOGS[1] and factor <= 10:
        raise DataError(
            f"{place} holds {low:g} to {high:g}, which look like log10 of wavelengths: declare it"
            " as loglam instead of wavelength (--loglam of fmb data index)"
        )
    if high_aa < SHORTEST_AA:
        raise DataError(
            f"{place} holds wavelengths of {low_aa:g} to {high_aa:g} Angstrom, which no spectrum"
            ' here has: declare their unit, such as wavelength_unit = "um" (--set'
            " inputs.NAME.wavelength_unit=um)"
        )
