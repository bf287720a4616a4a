"""Light on a logarithmic scale that goes on below the noise."""

import numpy as np

__all__ = ["log_light"]


def log_light(light: float, error: float) -> float:
    """Decimal logarithm of (light + sqrt(light^2 + 4 error^2)) / 2; NaN where there is neither.

    That is the light itself where it stands far above its error, and falls steadily below: what is
    not above the sky keeps a place, at the faint end. Another unit adds a constant.

    Args:
        light: in any unit, of either sign.
        error: its standard deviation, in that unit.

    Source: Lupton, Gunn & Szalay 1999, AJ 118, 1406, eq. 3, softened by twice the error of the
    object itself, so that no constant has to be chosen for a survey.
    """
    if not error and light <= 0:
        return float("nan")
    root = float(np.hypot(light, 2 * error))
    # Below zero the sum is a small difference of large numbers; this is the same without one.
    value = (light + root) / 2 if light > 0 else 2 * error**2 / (root - light)
    return float(np.log10(value)) if value > 0 else float("nan")
