"""State dicts as people have them: nested, prefixed, and by strangers."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from fmb.messages.errors import WeightsError

__all__ = ["bare_state", "nested_state"]

_NESTED = ("model", "state_dict", "model_state_dict")
_COMPILED, _PARALLEL = "_orig_mod.", "module."
"""What torch.compile puts before the names of the module it is given, and DataParallel."""
_LONGEST_NAME = 500


def nested_state(content: Any) -> Mapping[str, Any] | None:
    """The state dict under the key where training programs put it; None where there is none."""
    if not isinstance(content, Mapping):
        return None
    found = (content.get(key) for key in _NESTED)
    return next((state for state in found if isinstance(state, Mapping)), None)


def bare_state(state: Mapping[Any, Any], where: str) -> dict[str, Tensor]:
    """The tensors by the names that the network itself has for them.

    Args:
        state: tensors by name; `module.` before all names and `_orig_mod.` anywhere are left out,
            in any order and number.
        where: names it in messages.

    Raises:
        WeightsError: a value is no plain tensor, or two have the same name.
    """
    for name, value in state.items():
        if not isinstance(name, str) or len(name) > _LONGEST_NAME or not name.isprintable():
            raise WeightsError(f"{where}: {str(name)[:40]!r} is no name of a tensor")
        if told := _no_plain_tensor(value):
            raise WeightsError(f"{where}: {name} {told}")
    names = {name: name.replace(_COMPILED, "") for name in state}
    while names and all(name.startswith(_PARALLEL) for name in names.values()):
        names = {old: name.removeprefix(_PARALLEL) for old, name in names.items()}
    bare: dict[str, Tensor] = {}
    for old, name in names.items():
        if name in bare:
            raise WeightsError(f"{where}: two tensors are called {name}")
        bare[name] = state[old]
    return bare


def _no_plain_tensor(value: Any) -> str:
    """Why a value is not numbers in memory, side by side or in steps; "" where it is."""
    if not isinstance(value, Tensor):
        return f"is no tensor but {type(value).__name__}"
    if value.layout != torch.strided or value.device.type != "cpu" or value.is_quantized:
        return "is sparse, quantised or without numbers; save it as a plain tensor"
    held = value.untyped_storage().nbytes() // value.element_size()
    if value.numel() > held:
        return f"declares {value.numel():,} numbers, the file holds {held:,}"
    return ""
