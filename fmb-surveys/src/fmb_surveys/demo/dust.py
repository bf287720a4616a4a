"""Dust: attenuation inside a galaxy and extinction by the Milky Way."""

import numpy as np

from fmb import Array

__all__ = ["attenuation_curve", "milky_way_curve"]


def attenuation_curve(wavelength_aa: Array) -> Array:
    """Attenuation of starlight in magnitudes for A_V = 1, the shape of `wavelength_aa`.

    Source: Calzetti et al. 2000, ApJ 533, 682, eq. 4, R_V = 4.05; its red part is carried on as a
    power law beyond 2.2 micron, where it would turn negative.
    """
    micron = np.asarray(wavelength_aa, dtype=np.float64) / 1e4
    blue = 2.659 * (-2.156 + 1.509 / micron - 0.198 / micron**2 + 0.011 / micron**3) + 4.05
    red = 2.659 * (-1.857 + 1.040 / micron) + 4.05
    far = (2.659 * (-1.857 + 1.040 / 2.2) + 4.05) * (2.2 / micron) ** 2
    curve = np.where(micron < 0.63, blue, np.where(micron < 2.2, red, far))
    return np.asarray(curve / 4.05)


def milky_way_curve(wavelength_aa: Array) -> Array:
    """Extinction in magnitudes for E(B-V) = 1, the shape of `wavelength_aa`.

    Source: Cardelli, Clayton & Mathis 1989, ApJ 345, 245, eqs. 2-3, R_V = 3.1.
    """
    x = 1e4 / np.asarray(wavelength_aa, dtype=np.float64)
    y = x - 1.82
    a = np.polyval([0.32999, -0.77530, 0.01979, 0.72085, -0.02427, -0.50447, 0.17699, 1.0], y)
    b = np.polyval([-2.09002, 5.30260, -0.62251, -5.38434, 1.07233, 2.28305, 1.41338, 0.0], y)
    optical = 3.1 * a + b
    infrared = (3.1 * 0.574 - 0.527) * x**1.61
    return np.asarray(np.where(x > 1.1, optical, infrared))
