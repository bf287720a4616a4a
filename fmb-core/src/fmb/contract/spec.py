"""What every record of a plugin declares."""

from dataclasses import dataclass
from typing import ClassVar

__all__ = ["Spec"]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What every component declares; `target` and `config` are imported on first use."""

    kind: ClassVar[str] = ""

    name: str
    """As users type it: lower case, digits and hyphens."""
    summary: str
    """One line of at most 60 characters."""
    target: str
    """"module:Class" of the component."""
    config: str
    """"module:Class" of its configuration, a subclass of `fmb.contract.config.Config`."""
    revision: int = 1
    """Raised when the component's numbers change; part of every content key."""
    aliases: tuple[str, ...] = ()
    source: str = ""
    """arXiv id or DOI of the method."""
    citation: str = ""
    """BibTeX."""
    licence: str = ""
    """SPDX identifier."""
    requires: tuple[str, ...] = ()
    """Top-level import names the component needs; looked up, never imported, by the core."""
