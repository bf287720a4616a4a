"""The learning rate of each update: linear warm-up, then half a cosine."""

import math

from fmb_train.config import TrainConfig

__all__ = ["learning_rate"]


def learning_rate(update: int, total: int, config: TrainConfig) -> float:
    """Rate of update number `update` (from 0) of `total`.

    Source: cosine annealing without restarts, arXiv:1608.03983, eq. 5.
    """
    warm = round(config.warmup * total)
    if update < warm:
        return config.learning_rate * (update + 1) / warm
    passed = (update - warm) / max(1, total - 1 - warm)
    low = config.final_learning_rate
    return config.learning_rate * (low + (1 - low) * (1 + math.cos(math.pi * passed)) / 2)
