"""Names that folders are made of: which are taken as they are, and how others become such."""

import re

__all__ = ["FOLDER_NAME", "folder_name"]

FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
"""Fits any file system and terminal, and leads nowhere else."""
_LONGEST = 80


def folder_name(text: str, default: str) -> str:
    """`text` with a hyphen for whatever does not fit, at most 80 characters; else `default`."""
    fit = re.sub(r"[^A-Za-z0-9._-]+", "-", text).lstrip("-._")[:_LONGEST].rstrip("-.")
    return fit or default
