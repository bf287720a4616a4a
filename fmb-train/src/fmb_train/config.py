"""What can be chosen about the training of any model; models add their own keys."""

from typing import Literal

from pydantic import Field

from fmb import Config

__all__ = ["TrainConfig"]


class TrainConfig(Config):
    """Table `[train]`; base class of a model's `retrain_config`."""

    epochs: int = Field(default=30, gt=0)
    """How often each object is seen at most."""
    steps: int | None = Field(default=None, gt=0)
    """Number of updates; when given it stands in for `epochs`."""
    batch_size: int = Field(default=64, gt=0)
    """Objects of one update, over all processes."""
    micro_batch: int | None = Field(default=None, gt=0)
    """Objects of one forward pass; gradients of several are summed. None: `batch_size`."""
    learning_rate: float = Field(default=1e-3, gt=0)
    """Of AdamW, at the end of the warm-up."""
    final_learning_rate: float = Field(default=0.1, ge=0, le=1)
    """Where the cosine ends, as a share of `learning_rate`."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of the updates in which the learning rate rises from zero."""
    weight_decay: float = Field(default=0.1, ge=0)
    """Of matrices; vectors (biases, scales of norms) do not decay."""
    betas: tuple[float, float] = (0.9, 0.95)
    """Memory of AdamW's two running means."""
    clip: float = Field(default=1.0, gt=0)
    """Largest norm of the gradient of one update."""
    folds: int = Field(default=10, ge=2)
    """One part of so many is held out for validation."""
    fold_by: Literal["group", "sky"] = "group"
    """What is held out together: repeats of a source, or parts of the sky."""
    patience: int = Field(default=5, ge=0)
    """Epochs without a better validation loss after which training stops; 0 = never."""
    checkpoint_steps: int = Field(default=500, gt=0)
    """Updates between checkpoints; the end of an epoch is always one."""
    cache_mb: int = Field(default=4096, ge=0)
    """Prepared inputs are kept in memory when they take no more than this in each process."""
    slots: tuple[str, ...] = ()
    """Inputs of the model to train on; empty: all that the survey feeds."""
    stored: Literal["float32", "float16"] = "float32"
    """Numbers in the file of trained weights."""
    licence: str = ""
    """Of the weights that come out; empty: that of the weights they started from."""
