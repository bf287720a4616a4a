"""Configuration of a component: typed and frozen."""

from pydantic import BaseModel, ConfigDict

__all__ = ["Config"]


class Config(BaseModel):
    """Base of every component's configuration; use it as it is for a component without options."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
