"""Options of the core's embedders."""

from pydantic import Field

from fmb.contract.config import Config

__all__ = ["TailsConfig"]


class TailsConfig(Config):
    """Options of the embedder `tails`."""

    share: float = Field(default=0.02, gt=0, le=0.5)
    """Share of the tokens in each tail: a few of some hundred."""
