"""Wavelengths from what a file calls them to Angstrom in vacuum, and those that cannot be that."""

import numpy as np

from fmb import Array, DataError

__all__ = ["from_log10", "in_vacuum", "pixel_widths", "refuse_impossible"]

SHORTEST_AA = 10.0
"""A spectrum that ends below is one of X-rays, which no model here reads."""
LOGS = (2.5, 5.5)
"""log10 of 300 and 300,000 Angstrom."""
HIGHEST_LOG = 10.0
"""log10 of a metre in Angstrom."""


_FROM = 2000.0
"""Angstrom: shortward, wavelengths are given in vacuum by convention."""


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


def in_vacuum(air: Array) -> Array:
    """Wavelengths in vacuum, Angstrom, float64, of those in standard air.

    What is below 2000 Angstrom, such as padding, or no number, stays as it is.

    Source: N. Piskunov's inverse of Morton (2000, ApJS 130, 403) as the VALD database gives it;
    the two agree within 1e-4 Angstrom from 2000 to 100000.
    """
    known = air >= _FROM
    wavenumber_squared = (1e4 / np.where(known, air, _FROM)) ** 2
    index = (
        1
        + 0.00008336624212083
        + 0.02408926869968 / (130.1065924522 - wavenumber_squared)
        + 0.0001599740894897 / (38.92568793293 - wavenumber_squared)
    )
    return np.where(known, air * index, air)


def pixel_widths(grid: Array) -> Array:
    """Angstrom a pixel, of the shape of `grid`: half the distance between the two neighbours.

    Args:
        grid: (..., pixels), wavelengths; what is not positive and finite is no neighbour.

    Returns:
        NaN where a pixel has no neighbour. At an end it is the distance to the only one.
    """
    known = np.where(np.isfinite(grid) & (grid > 0), grid, np.nan)
    steps = np.diff(known, axis=-1)
    none = np.full((*grid.shape[:-1], 1), np.nan)
    before = np.concatenate([none, steps], axis=-1)
    after = np.concatenate([steps, none], axis=-1)
    before, after = (
        np.where(np.isnan(one), other, one) for one, other in ((before, after), (after, before))
    )
    return np.asarray((before + after) / 2)
