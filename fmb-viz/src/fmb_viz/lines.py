"""Common lines of galaxy spectra and where they fall at a redshift."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["LINES", "SpectralLine", "observed_lines"]


@dataclass(frozen=True)
class SpectralLine:
    """A line or close group of lines that is marked under one name."""

    name: str
    rest_aa: tuple[float, ...]
    """Rest wavelengths in vacuum, Angstrom, ascending."""
    emission: bool = True
    """False for a line of stars, seen in absorption."""

    def observed_aa(self, redshift: float) -> tuple[float, ...]:
        """Wavelengths in Angstrom at `redshift`, ascending."""
        return tuple(rest * (1.0 + redshift) for rest in self.rest_aa)


# Emission: the list of FastSpecFit, the DESI value-added catalogue (desihub/fastspecfit,
# data/emlines.ecsv), which has vacuum wavelengths; Ly alpha, C IV and C III]: SDSS DR7, table of
# spZline. Absorption: NIST Atomic Spectra Database in air, brought to vacuum with the refractive
# index of Morton 2000 (ApJS 130, 403).
LINES: tuple[SpectralLine, ...] = (
    SpectralLine("Ly α", (1215.67,)),
    SpectralLine("C IV", (1549.48,)),
    SpectralLine("C III]", (1908.734,)),
    SpectralLine("Mg II", (2796.352, 2803.530)),
    SpectralLine("[Ne V]", (3426.864,)),
    SpectralLine("[O II]", (3727.092, 3729.874)),
    SpectralLine("[Ne III]", (3869.861,)),
    SpectralLine("Ca K, H", (3934.777, 3969.591), emission=False),
    SpectralLine("H δ", (4102.892,)),
    SpectralLine("H γ", (4341.684,)),
    SpectralLine("H β", (4862.683,)),
    SpectralLine("[O III]", (4960.295, 5008.239)),
    SpectralLine("Mg b", (5168.761, 5174.125, 5185.048), emission=False),
    SpectralLine("Na D", (5891.583, 5897.558), emission=False),
    SpectralLine("H α", (6564.613,)),
    SpectralLine("[N II]", (6549.852, 6585.277)),
    SpectralLine("[S II]", (6718.294, 6732.673)),
    SpectralLine("[S III]", (9071.103,)),
    SpectralLine("[S III]", (9533.227,)),
)
"""In the order of their mean wavelength."""


def observed_lines(
    redshift: float, low_aa: float, high_aa: float
) -> Sequence[tuple[SpectralLine, tuple[float, ...]]]:
    """The lines that fall between two wavelengths at a redshift.

    Args:
        redshift: above -1.
        low_aa: shortest wavelength of the spectrum, Angstrom.
        high_aa: longest wavelength, Angstrom.

    Returns:
        Each line with the observed wavelengths of its members inside the range, ascending.
    """
    found = []
    for line in LINES:
        inside = tuple(aa for aa in line.observed_aa(redshift) if low_aa <= aa <= high_aa)
        if inside:
            found.append((line, inside))
    return found
