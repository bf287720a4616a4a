"""The kinds that can be injected: what they need, how strong they get and what should see them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fmb import Dataset
from fmb_surveys.planting import KINDS, Kind

if TYPE_CHECKING:
    from fmb_surveys.planting.needs import Offer

__all__ = ["kinds_for", "kinds_listed"]


ANY_MAGNITUDE, ANY_WIDTH = 20.0, 1.0
"""What options would say, to learn which kinds fit with them."""


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
    """One record a kind: whether it fits a survey, with which options it would, or why it does not.

    Args:
        dataset: to plant in.
        psf_fwhm_arcsec: image input -> widths by band, for data that tell none.
        host_magnitude: of hosts on pictures without a flux scale.
    """
    from fmb_surveys.planting.needs import make_offer

    offer = make_offer(dataset, psf_fwhm_arcsec, {}, host_magnitude)
    bands = {name: len(dataset.inputs[name].bands) for name in offer.images}
    magnitude = ANY_MAGNITUDE if host_magnitude is None else host_magnitude
    widths = {name: [ANY_WIDTH] * n for name, n in bands.items()} | dict(psf_fwhm_arcsec)
    told = make_offer(dataset, widths, {}, magnitude)
    without = {"--host-mag MAG": make_offer(dataset, widths, {}, host_magnitude)}
    for name, n in bands.items():
        if name not in psf_fwhm_arcsec:
            rest = {other: width for other, width in widths.items() if other != name}
            untold = make_offer(dataset, rest, {}, magnitude)
            without[f"--psf {name}={','.join(['FWHM'] * n)}"] = untold
    return [
        {
            "kind": kind.name,
            "seen by": kind.view,
            "fits": _fits(kind, offer, told, without),
            "summary": kind.summary,
        }
        for kind in KINDS.values()
    ]


def _fits(kind: Kind, offer: "Offer", told: "Offer", without: Mapping[str, "Offer"]) -> str:
    """Whether a kind fits, by what is offered now, with all options, and with all but one."""
    from fmb_surveys.planting.needs import lacking

    reason = lacking(kind, offer)
    if not reason:
        return "yes"
    if lacking(kind, told):
        return f"no: {reason}"
    return " ".join(["with", *(option for option, less in without.items() if lacking(kind, less))])


def _strength(kind: Kind) -> str:
    return f"{kind.weak:g} to {kind.strong:g}" if kind.parameter else ""
