"""Where planted pixels come from, as a number an object, without any pixel."""

import hashlib
from collections.abc import Callable, Mapping

from fmb import Array, InputInfo
from fmb_surveys.planting.hosts import Injection

__all__ = ["planted_origins"]


def planted_origins(
    inputs: Mapping[str, InputInfo],
    behind: Array,
    planted: Mapping[int, Injection],
    recipe: Callable[[Injection], tuple[object, ...]],
) -> dict[str, Array | None]:
    """The origin of each row of a planted survey, input by input.

    Rows in which nothing is planted have that of the object behind them, and so has photometry. The
    others follow from all images and spectra of host and donor, for what is planted in one depends
    on the others, and from the recipe.

    Args:
        inputs: of the clean survey.
        behind: (m,) row of the clean survey behind each row.
        planted: row -> injection.
        recipe: what else planted pixels follow from; prints the same everywhere.

    Returns:
        Input -> (m,) uint64; None for all where the clean survey cannot say for one of them.
    """
    known = {name: info.origin for name, info in inputs.items() if info.origin is not None}
    if len(known) < len(inputs):
        return dict.fromkeys(inputs)
    found = {name: origin[behind] for name, origin in known.items()}
    changed = {name: found[name] for name in found if inputs[name].kind != "columns"}
    for row, injection in planted.items():
        givers = [injection.host, *([injection.donor] if injection.donor >= 0 else [])]
        sources = [(name, known[name][givers].tolist()) for name in changed]
        what = (sources, injection.kind.name, injection.strength, *recipe(injection))
        for name, numbers in changed.items():
            text = f"{name}|{what}".encode()
            digest = hashlib.blake2b(text, digest_size=8).digest()
            numbers[row] = int.from_bytes(digest, "little")
    return dict(found)
