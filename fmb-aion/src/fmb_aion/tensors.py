"""A safetensors file in parts, so that writing one takes no second copy of a network."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

__all__ = ["safetensors_parts"]

_CODES = {torch.float32: "F32", torch.int32: "I32", torch.int64: "I64"}
"""What the tensors of a network are, and how safetensors calls it."""


def safetensors_parts(state: Mapping[str, Tensor]) -> Iterator[bytes]:
    """The bytes of a safetensors file that holds `state`: the header, then tensor by tensor.

    Source: the format, https://github.com/huggingface/safetensors#format: length of the header
    (8 bytes, little-endian), header (JSON), tensors without gaps.
    """
    header: dict[str, Any] = {}
    end = 0
    for name, tensor in state.items():
        begin, end = end, end + tensor.numel() * tensor.element_size()
        shape, kind = list(tensor.shape), _CODES[tensor.dtype]
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little") + text
    for tensor in state.values():
        yield tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
