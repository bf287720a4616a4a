"""Bounds of what a card may ask for: far above any model, far below what stops a machine."""

from typing import Annotated

from pydantic import Field

__all__ = ["Depth", "Length", "Width"]

Depth = Annotated[int, Field(gt=0, le=1000)]
"""Blocks, layers or steps one after the other."""
Width = Annotated[int, Field(gt=0, le=65_536)]
"""Numbers in a vector, channels, heads or pixels along a side."""
Length = Annotated[int, Field(gt=0, le=10_000_000)]
"""Places in a sequence or numbers in a token."""
