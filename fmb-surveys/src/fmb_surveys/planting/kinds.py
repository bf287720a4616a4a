"""The kinds of planted anomalies: what they are, how strong, and which view should see them.

Strengths and declared views were fixed before any model was trained on simulated data. Choosing
the best view afterwards would turn noise into an AUROC of 0.6.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from fmb import UnknownNameError, did_you_mean

__all__ = ["KINDS", "ORDINARY", "Kind", "Need", "find_kind"]

ORDINARY = "ordinary"
"""Label of objects in which nothing was planted."""

Need = Literal[
    "images",
    "image flux",
    "psf",
    "image ivar or mask",
    "spectra",
    "spectrum flux",
    "spectra with flux, if any",
    "flux and psf, if images",
    "spectrum ivar",
    "optical spectrum",
    "red spectrum",
    "redshift",
    "redshift, if spectra",
    "magnitude",
    "snr",
]
"""What a kind needs of a survey."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of anomaly, declared before it is looked for."""

    name: str
    summary: str
    family: Literal["science", "pairing", "artefact", "control"]
    view: Literal["image", "spectrum", "mismatch", "nobody"]
    """The view that should see it; an AUROC is quoted in this one."""
    touches: tuple[Literal["images", "spectra"], ...] = ("images", "spectra")
    """What observations it changes."""
    also: tuple[str, ...] = ()
    """Views that may see it too."""
    parameter: str
    """What grows with the strength, with its unit; "" = the strength changes nothing."""
    weak: float = 0.0
    strong: float = 0.0
    """Values of the parameter at strength 0 and 1."""
    logarithmic: bool = False
    auroc: tuple[float, float]
    """What a sane encoder is expected to reach over all strengths."""
    needs: tuple[Need, ...]
    updates_ivar: bool = True
    """False where the survey is not told: the inverse variance and the mask stay as they were."""

    def value(self, strength: float) -> float:
        """The parameter at a strength between 0 (weak) and 1 (strong)."""
        if self.logarithmic:
            return float(self.weak * (self.strong / self.weak) ** strength)
        return float(self.weak + (self.strong - self.weak) * strength)


_PICTURE: tuple[Need, ...] = ("images", "image flux", "psf")
_IMAGED: tuple[Need, ...] = (*_PICTURE, "spectra with flux, if any")
_LIGHT: tuple[Need, ...] = (*_PICTURE, "spectra", "spectrum flux", "redshift")

_ALL = (
    Kind(
        name="lens",
        summary="Blue arcs round an early type; [O II] of the source leaks into the spectrum",
        family="science",
        view="image",
        parameter="total magnitude of the arcs",
        weak=24.5,
        strong=22.0,
        auroc=(0.6, 0.8),
        needs=_IMAGED,
    ),
    Kind(
        name="merger",
        summary="A companion at 3-15 kpc, tidal tails, star formation raised 1.5-3 times",
        family="science",
        view="image",
        parameter="companion fainter than the host by, mag",
        weak=1.5,
        strong=0.2,
        auroc=(0.6, 0.75),
        needs=(*_IMAGED, "redshift, if spectra"),
    ),
    Kind(
        name="agn",
        summary="Broad Balmer lines, a power law and the same point source in the image",
        family="science",
        view="spectrum",
        also=("image",),
        parameter="rest equivalent width of H-alpha, Angstrom",
        weak=15.0,
        strong=100.0,
        logarithmic=True,
        auroc=(0.6, 0.9),
        needs=("spectra", "redshift", "flux and psf, if images"),
    ),
    Kind(
        name="second-redshift",
        summary="Narrow emission lines of another redshift in the spectrum",
        family="science",
        view="spectrum",
        touches=("spectra",),
        parameter="equivalent width of the strongest line, Angstrom",
        weak=5.0,
        strong=40.0,
        logarithmic=True,
        auroc=(0.5, 0.65),
        needs=("spectra", "optical spectrum", "redshift"),
    ),
    Kind(
        name="swap-hard",
        summary="The spectrum of a like object: dz < 0.02 (1+z), dmag < 0.3, like S/N",
        family="pairing",
        view="mismatch",
        touches=("spectra",),
        parameter="",
        auroc=(0.55, 0.7),
        needs=("images", "spectra", "redshift", "magnitude", "snr"),
    ),
    Kind(
        name="swap-easy",
        summary="The spectrum of any other object",
        family="pairing",
        view="mismatch",
        touches=("spectra",),
        parameter="",
        auroc=(0.85, 0.95),
        needs=("images", "spectra", "redshift"),
    ),
    Kind(
        name="fibre-offset",
        summary="A fibre 1-2 arcsec off the centre, on a neighbour",
        family="pairing",
        view="mismatch",
        parameter="distance of the fibre from the centre, arcsec",
        weak=1.0,
        strong=2.0,
        auroc=(0.6, 0.75),
        needs=_LIGHT,
    ),
    Kind(
        name="trail",
        summary="A satellite trail across the sharpest band",
        family="artefact",
        view="image",
        touches=("images",),
        parameter="height in sigma of the sky noise of a pixel",
        weak=1.0,
        strong=10.0,
        logarithmic=True,
        auroc=(0.6, 0.95),
        needs=("images",),
        updates_ivar=False,
    ),
    Kind(
        name="cosmic-rays",
        summary="Tracks of cosmic rays in the sharpest band, sharper than any star",
        family="artefact",
        view="image",
        touches=("images",),
        parameter="number of tracks",
        weak=1.0,
        strong=8.0,
        auroc=(0.6, 0.9),
        needs=("images",),
        updates_ivar=False,
    ),
    Kind(
        name="dead-columns",
        summary="Columns at zero in the sharpest band, not masked",
        family="artefact",
        view="image",
        touches=("images",),
        parameter="number of columns",
        weak=1.0,
        strong=6.0,
        auroc=(0.65, 0.95),
        needs=("images",),
        updates_ivar=False,
    ),
    Kind(
        name="noise-burst",
        summary="100-300 Angstrom of extra noise that ivar does not tell of",
        family="artefact",
        view="spectrum",
        touches=("spectra",),
        parameter="noise over its usual value",
        weak=2.0,
        strong=6.0,
        auroc=(0.55, 0.75),
        needs=("spectra", "spectrum ivar"),
        updates_ivar=False,
    ),
    Kind(
        name="arm-step",
        summary="A step in the flux where two arms of the spectrograph meet",
        family="artefact",
        view="spectrum",
        touches=("spectra",),
        parameter="step, share of the flux",
        weak=0.03,
        strong=0.20,
        logarithmic=True,
        auroc=(0.5, 0.65),
        needs=("spectra",),
        updates_ivar=False,
    ),
    Kind(
        name="sky-residual",
        summary="Residuals of the hydroxyl lines of the sky",
        family="artefact",
        view="spectrum",
        touches=("spectra",),
        parameter="height in sigma of a pixel",
        weak=3.0,
        strong=8.0,
        auroc=(0.5, 0.65),
        needs=("spectra", "spectrum ivar", "red spectrum"),
        updates_ivar=False,
    ),
    Kind(
        name="masked-columns",
        summary="Columns at zero in the sharpest band, masked: must not be found",
        family="control",
        view="nobody",
        touches=("images",),
        parameter="number of columns",
        weak=1.0,
        strong=6.0,
        auroc=(0.45, 0.55),
        needs=("images", "image ivar or mask"),
    ),
    Kind(
        name="known-burst",
        summary="100-300 Angstrom of extra noise with the right ivar: must not be found",
        family="control",
        view="nobody",
        touches=("spectra",),
        parameter="noise over its usual value",
        weak=2.0,
        strong=6.0,
        auroc=(0.45, 0.55),
        needs=("spectra", "spectrum ivar"),
    ),
    Kind(
        name="wrong-redshift",
        summary="A wrong redshift in the catalogue only: must not be found",
        family="control",
        view="nobody",
        touches=(),
        parameter="",
        auroc=(0.45, 0.55),
        needs=("redshift",),
        updates_ivar=False,
    ),
)

KINDS = MappingProxyType({kind.name: kind for kind in _ALL})
"""All kinds by name, science first, negative controls last."""


def find_kind(name: str) -> Kind:
    """The kind called `name`.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in KINDS:
        raise UnknownNameError(f"no kind of anomaly is called {name!r}{did_you_mean(name, KINDS)}")
    return KINDS[name]
