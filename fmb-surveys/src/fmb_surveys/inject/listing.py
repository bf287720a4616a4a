"""The kinds that can be injected: what they need, how strong they get and what should see them."""

from collections.abc import Mapping, Sequence
from typing import Any

from fmb import Dataset
from fmb_surveys.planting import KINDS, Kind

__all__ = ["kinds_for", "kinds_listed"]


def kinds_listed() -> list[dict[str, Any]]:
    """One record a kind, with what a survey must have."""
    return [
        {
            "kind": kind.name,
            "seen by": kind.view,
            "strength 0 to 1": _strength(kind),
            "needs": ", ".join(kind.needs),
            "summary": kind.summary,
            "family": kind.family,
            "grows": kind.parameter,
        }
        for kind in KINDS.values()
    ]


def kinds_for(
    dataset: Dataset,
    psf_fwhm_arcsec: Mapping[str, Sequence[float]],
    host_magnitude: float | None = None,
) -> list[dict[str, Any]]:
    """One record a kind, with whether it can be planted in a survey and else why not.

    Args:
        dataset: to plant in.
        psf_fwhm_arcsec: image input -> widths by band, for data that tell none.
        host_magnitude: of hosts on pictures without a flux scale.
    """
    from fmb_surveys.planting.needs import lacking, make_offer

    offer = make_offer(dataset, psf_fwhm_arcsec, {}, host_magnitude)
    return [
        {
            "kind": kind.name,
            "seen by": kind.view,
            "fits": "yes" if not (reason := lacking(kind, offer)) else f"no: {reason}",
            "summary": kind.summary,
        }
        for kind in KINDS.values()
    ]


def _strength(kind: Kind) -> str:
    return f"{kind.weak:g} to {kind.strong:g}" if kind.parameter else ""
