"""An embedder with an option: the mean of the k largest tokens in each component."""

from pydantic import Field

from fmb import Config

__all__ = ["Largest", "LargestConfig"]


class LargestConfig(Config):
    k: int = Field(default=4, gt=0)
    """How many tokens."""


class Largest:
    """Mean of the largest tokens; all of them where there are fewer."""

    def __init__(self, config):
        self.k = config.k

    def reduce(self, tokens):
        """(n, d), float32."""
        values = tokens.values.float()
        return values.topk(min(self.k, values.shape[1]), dim=1).values.mean(dim=1)
