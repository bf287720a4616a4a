"""A picture as the bytes of a PNG file."""

import struct
import zlib

import numpy as np

from fmb.contract.arrays import Array

__all__ = ["png_bytes"]

LEVEL = 2
"""Of zlib; more costs time for a few of a hundred bytes."""
BITS, RGB, RGBA = 8, 2, 6
"""Of a number; and the two kinds of colour."""


def png_bytes(rgba: Array, dpi: float) -> bytes:
    """A PNG file; nothing in it tells when or by what it was made.

    Rows are packed as they are. The filters that most writers choose row by row are made for
    photographs: figures, which are flat colours and letters, become larger by them, and three times
    as long in the making.

    Args:
        rgba: (height, width, 4), uint8, row 0 at the top; alpha is left out where nothing shows
            through.
        dpi: pixels an inch.

    Source: PNG (third edition), W3C 2025, sections 5 and 11.
    """
    height, width, _ = rgba.shape
    opaque = bool((rgba[..., 3] == 255).all())
    channels = 3 if opaque else 4
    rows = np.zeros((height, 1 + width * channels), dtype=np.uint8)  # 0: without a filter
    for channel in range(channels):
        rows[:, 1 + channel :: channels] = rgba[..., channel]
    head = struct.pack(">2I5B", width, height, BITS, RGB if opaque else RGBA, 0, 0, 0)
    a_metre = round(dpi / 0.0254)
    parts = {
        b"IHDR": head,
        b"pHYs": struct.pack(">2IB", a_metre, a_metre, 1),
        b"IDAT": zlib.compress(rows.data, LEVEL),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in parts.items())


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
