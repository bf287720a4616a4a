"""Decides, before any compute, which instrument feeds which slot of which model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fmb.contract.inputs import InputInfo
from fmb.contract.model import Accepts, ModelSpec
from fmb.messages.errors import DataError, did_you_mean

__all__ = ["Bindings", "bind_inputs", "choose_views", "feeds"]

WORD_UNITS = ("display", "counts")
"""Units that only equal themselves."""


@dataclass(frozen=True)
class Bindings:
    """What feeds a model."""

    slots: Mapping[str, str]
    """Slot -> instrument."""
    out_of_domain: tuple[str, ...]
    """Why the input differs from what the weights were made for, one line each."""
    refused: tuple[str, ...] = ()
    """Why slots stay empty, one line each."""


@dataclass(frozen=True)
class _Match:
    refused: str
    """Why the input cannot feed the slot, "" when it can."""
    out_of_domain: tuple[str, ...] = ()
    other_bands: bool = False
    """True when its bands are why."""


def bind_inputs(
    label: str,
    accepts: Sequence[Accepts],
    inputs: Mapping[str, InputInfo],
    *,
    wanted: Mapping[str, str],
    allow_out_of_domain: bool,
) -> Bindings:
    """Choose an instrument for each slot of a model.

    Args:
        label: the model's label, for messages.
        accepts: what the weights' card says they take.
        inputs: what the survey has.
        wanted: slots the user bound by hand.
        allow_out_of_domain: use inputs unlike those the weights were made for.

    Raises:
        DataError: no slot can be filled, two instruments fit one slot, or the only one that fits
            is out of domain and that was not allowed.
    """
    slots: dict[str, str] = {}
    tags: list[str] = []
    refusals: list[str] = []
    known = list(dict.fromkeys(a.slot for a in accepts))
    for slot in wanted:
        if slot not in known:
            raise DataError(f"model {label!r} has no input {slot!r}{did_you_mean(slot, known)}")
    for slot in known:
        matches = _matches([a for a in accepts if a.slot == slot], inputs)
        name = _choose(label, slot, matches, wanted.get(slot), refusals)
        if name is None:
            continue
        unlike = matches[name].out_of_domain
        if unlike and not allow_out_of_domain:
            raise DataError(
                f"model {label!r}: {name} is not what its weights were made for"
                f" ({'; '.join(unlike)}); pass --allow-out-of-domain to use it all the same"
            )
        slots[slot] = name
        tags.extend(f"{name}: {why}" for why in unlike)
    if not slots:
        raise DataError(
            f"nothing in this survey can feed model {label!r}: {'; '.join(refusals) or 'no inputs'}"
        )
    return Bindings(slots, tuple(tags), tuple(refusals))


def _matches(accepts: Sequence[Accepts], inputs: Mapping[str, InputInfo]) -> dict[str, _Match]:
    """Instrument -> its best match among the alternatives of one slot."""
    found = {}
    for name, info in inputs.items():
        tried = [_match(a, name, info) for a in accepts if a.kind == info.kind]
        if tried:
            # The alternative made for these bands knows best why it cannot be fed.
            found[name] = min(
                tried, key=lambda m: (bool(m.refused), m.other_bands, len(m.out_of_domain))
            )
    return found


def _choose(
    label: str, slot: str, matches: Mapping[str, _Match], wanted: str | None, refusals: list[str]
) -> str | None:
    if wanted is not None:
        if wanted not in matches:
            raise DataError(
                f"model {label!r}: {wanted!r} is not an input that {slot} can take"
                f"{did_you_mean(wanted, matches)}"
            )
        if matches[wanted].refused:
            raise DataError(f"model {label!r}: {wanted} {matches[wanted].refused}")
        return wanted
    fitting = [name for name, match in matches.items() if not match.refused]
    inside = [name for name in fitting if not matches[name].out_of_domain]
    best = inside or fitting
    if len(best) > 1:
        raise DataError(
            f"model {label!r}: {' and '.join(best)} both fit {slot};"
            f" choose with --input {label}.{slot}={best[0]}"
        )
    if not best:
        refusals.extend(f"{slot}: {name} {m.refused}" for name, m in matches.items())
        if not matches:
            refusals.append(f"{slot}: the survey has no such input")
        return None
    return best[0]


def feeds(accepts: Accepts, name: str, info: InputInfo) -> bool:
    """True when the input can feed the slot, in or out of domain."""
    return accepts.kind == info.kind and not _match(accepts, name, info).refused


def _match(accepts: Accepts, name: str, info: InputInfo) -> _Match:
    wanted, given = (info.bands, accepts.bands) if accepts.subset else (accepts.bands, info.bands)
    if accepts.bands and any(band not in given for band in wanted):
        need = "take some of" if accepts.subset else "need"
        advice = f"; {accepts.other_bands}" if accepts.other_bands else ""
        return _Match(
            f"has bands {', '.join(info.bands)}, the weights {need} {', '.join(accepts.bands)}"
            f"{advice}",
            other_bands=True,
        )
    if accepts.min_size_px and min(info.shape[-2:], default=0) < accepts.min_size_px:
        size = " x ".join(str(s) for s in info.shape[-2:])
        return _Match(f"is {size} pixels, the weights need at least {accepts.min_size_px}")
    if accepts.max_pixels and info.shape[-1] > accepts.max_pixels:
        return _Match(f"has {info.shape[-1]} pixels, the weights take at most {accepts.max_pixels}")
    if accepts.units and not _convertible(info.unit, accepts.units):
        return _Match(f"has unit {info.unit!r}, the weights need {' or '.join(accepts.units)}")
    if accepts.calibrated and not info.calibrated:
        return _Match("is not flux-calibrated, the weights need calibrated data")
    if accepts.wavelength_aa and info.wavelength_aa:
        low, high = accepts.wavelength_aa
        if info.wavelength_aa[1] <= low or info.wavelength_aa[0] >= high:
            nanometres = low < 10 * info.wavelength_aa[1] and 10 * info.wavelength_aa[0] < high
            return _Match(
                f"covers {info.wavelength_aa[0]:.0f}-{info.wavelength_aa[1]:.0f} A,"
                f" the weights {low:.0f}-{high:.0f} A"
                f"{'; are these nanometres?' if nanometres else ''}"
            )
    return _Match("", tuple(_unlike(accepts, name, info)))


def _unlike(accepts: Accepts, name: str, info: InputInfo) -> list[str]:
    reasons = []
    if accepts.instruments and name not in accepts.instruments:
        reasons.append(f"trained on {', '.join(accepts.instruments)}")
    scale, allowed = info.pixel_scale_arcsec, accepts.pixel_scale_arcsec
    if allowed and scale is not None and not allowed[0] <= scale <= allowed[1]:
        reasons.append(f'pixel scale {scale:g}", trained on {allowed[0]:g}-{allowed[1]:g}"')
    return reasons


def _convertible(unit: str, accepted: Sequence[str]) -> bool:
    if unit in accepted:
        return True
    if unit in WORD_UNITS:
        return False
    # Imported here: a plan with matching unit names does without astropy's half second.
    from astropy import units

    mine = units.Unit(unit)
    return any(
        mine.is_equivalent(units.Unit(other)) for other in accepted if other not in WORD_UNITS
    )


def choose_views(
    label: str, spec: ModelSpec, bindings: Bindings, wanted: Sequence[str]
) -> tuple[str, ...]:
    """The views to compute: those asked for, else all whose slots are filled.

    Raises:
        DataError: a view the model does not have, or one whose input the survey lacks.
    """
    for view in wanted:
        if view not in spec.views:
            raise DataError(f"model {label!r} has no view {view!r}{did_you_mean(view, spec.views)}")
        missing = [slot for slot in spec.views[view] if slot not in bindings.slots]
        if missing:
            raise DataError(
                f"model {label!r} needs {' and '.join(missing)} for view {view!r}, this survey"
                f" feeds only {', '.join(bindings.slots)}: {'; '.join(bindings.refused)}"
            )
    possible = [v for v, needs in spec.views.items() if set(needs) <= set(bindings.slots)]
    return tuple(wanted) if wanted else tuple(possible)
