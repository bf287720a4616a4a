"""Boosted trees as arrays: what is saved of them, and how they answer."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fmb import Array

__all__ = ["Trees"]

LEAVES = 8
"""Of a tree; with 31, the default, the trees learn their pairs by heart."""


@dataclass(frozen=True, eq=False)
class Trees:
    """T binary trees of at most m nodes, the first of each its root, whose answers add up."""

    feature: Array
    """(T, m), int32: column that a node asks for."""
    threshold: Array
    """(T, m), float64: to the left up to it."""
    left: Array
    right: Array
    """(T, m), int32: the nodes that follow; of a leaf itself."""
    value: Array
    """(T, m), float64: answer of a leaf."""
    depth: Array
    """(), int64: questions from a root to a leaf at most."""
    start: Array
    """(), float64: added to all answers."""

    @classmethod
    def trained(cls, x: Array, y: Array, trees: int, seed: int) -> "Trees":
        """Gradient boosting of a logistic loss by scikit-learn.

        Args:
            x: (n, p), float64.
            y: (n,), bool.
            trees: how many.
            seed: of what it draws.
        """
        # Imported here: scikit-learn costs a second, and only a fit needs it.
        from sklearn.ensemble import HistGradientBoostingClassifier

        model = HistGradientBoostingClassifier(
            max_iter=trees, max_leaf_nodes=LEAVES, early_stopping=False, random_state=seed
        )
        model.fit(x, y)
        nodes = [predictors[0].nodes for predictors in model._predictors]
        return cls._of(nodes, float(np.ravel(model._baseline_prediction)[0]))

    @classmethod
    def _of(cls, trees: list[Any], start: float) -> "Trees":
        shape = len(trees), max(map(len, trees))
        feature, left, right = (np.zeros(shape, dtype=np.int32) for _ in range(3))
        threshold, value, depth = np.zeros(shape), np.zeros(shape), 0
        for i, nodes in enumerate(trees):
            m, leaf = len(nodes), nodes["is_leaf"].astype(bool)
            feature[i, :m] = np.where(leaf, 0, nodes["feature_idx"])
            threshold[i, :m] = nodes["num_threshold"]
            left[i, :m] = np.where(leaf, np.arange(m), nodes["left"])
            right[i, :m] = np.where(leaf, np.arange(m), nodes["right"])
            value[i, :m] = nodes["value"]
            depth = max(depth, int(nodes["depth"].max()))
        whole = np.array(depth, dtype=np.int64), np.array(start)
        return cls(feature, threshold, left, right, value, *whole)

    def logit(self, x: Array) -> Array:
        """Log odds of yes, (n,), float64, of (n, p) finite numbers."""
        total, rows = np.full(len(x), self.start.item()), np.arange(len(x))
        for tree in range(len(self.feature)):
            node = np.zeros(len(x), dtype=np.int32)
            for _ in range(self.depth.item()):
                asked = x[rows, self.feature[tree, node]]
                node = np.where(
                    asked <= self.threshold[tree, node],
                    self.left[tree, node],
                    self.right[tree, node],
                )
            total += self.value[tree, node]
        return total
