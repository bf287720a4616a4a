"""What a panel is called, with what of it the models of a list did not see."""

from collections.abc import Mapping, Sequence

__all__ = ["panel_name"]


def panel_name(
    instrument: str, bands: Sequence[str], reads: Mapping[str, Sequence[str]] | None
) -> str:
    """The instrument, the bands that are shown, and which of both no model of the list was given.

    Args:
        instrument: as the survey calls it.
        bands: those shown, red first; none for a spectrum.
        reads: instrument -> bands, of what the models read; None where it is not known.
    """
    name = f"{instrument} {'/'.join(bands)}" if bands else instrument
    if reads is None:
        return name
    if instrument not in reads:
        return f"{name} (not seen by the model)"
    unseen = [band for band in bands if band not in reads[instrument]]
    return f"{name} ({', '.join(unseen)} not seen by the model)" if unseen else name
