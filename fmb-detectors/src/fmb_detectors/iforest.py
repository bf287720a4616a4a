"""Isolation forest: strange objects are set apart by few random cuts."""

from pathlib import Path
from typing import Any

import numpy as np

from fmb import Array, Vectors, build
from fmb_detectors.config import IforestConfig
from fmb_detectors.saved import read_fit, write_fit

__all__ = ["IforestDetector"]

NAME = "iforest"

BLOCK_ROWS = 4096
"""Rows that go through a tree at a time."""


class IforestDetector:
    """2 ^ -(mean depth of an object in trees of random cuts / that of a random object).

    What it sees: objects that are extreme in single numbers of their vector; trees cut one number
    at a time.
    What it cannot see: what is strange only in how numbers go together, and tight groups; with
    many numbers a vector, each tree of 256 objects cuts few of them.

    The trees are scikit-learn's `IsolationForest` with this seed. They are kept as arrays, and
    scored as such: equal to its `score_samples`, with the sign turned. There is no contamination
    to guess: it only moves a threshold, and there is none. Works on the CPU whatever `device` says.

    Source: Liu, Ting and Zhou 2008, ICDM, 413, eq. 1 and 2.

    Example:
        detector = IforestDetector(IforestConfig(n_estimators=200), seed=0)
        detector.fit(vectors)
        scores = detector.score(vectors)
    """

    def __init__(self, config: IforestConfig, *, seed: int, device: str = "cpu") -> None:
        self.config = config
        self.seed = seed
        self._trees: dict[str, Array] = {}

    def fit(self, x: Vectors) -> None:
        """Grow the trees."""
        # Imported here: scikit-learn costs a second that only a fit needs.
        from sklearn.ensemble import IsolationForest

        config = self.config
        forest = IsolationForest(
            n_estimators=config.n_estimators,
            max_samples=_at_most(config.max_samples, len(x)),
            max_features=_at_most(config.max_features, x.values.shape[1]),
            bootstrap=config.bootstrap,
            random_state=self.seed % 2**32,  # all that it takes
        ).fit(x.values)
        parts = [_tree(one.tree_) for one in forest.estimators_]
        for part, columns in zip(parts, forest.estimators_features_, strict=True):
            part["column"] = columns[part["column"]]
        sizes = np.array([len(part["left"]) for part in parts])
        self._trees = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        self._trees["first"] = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self._trees["expected"] = _mean_depth(np.array([float(forest.max_samples_)]))

    def score(self, x: Vectors) -> Array:
        """How soon each object is alone.

        Args:
            x: n vectors of the dimension given to `fit`; values (n, d), float32.

        Returns:
            Shape (n,), float64, in (0, 1], about 0.5 for objects as good as random; higher is
            stranger; row order of `x`.
        """
        depth = np.zeros(len(x))
        for rows, values in x.blocks(BLOCK_ROWS):
            for first in self._trees["first"]:
                depth[rows] += self._depths(values, int(first))
        expected = len(self._trees["first"]) * self._trees["expected"][0]
        return np.asarray(2.0 ** -(depth / expected)) if expected else np.ones(len(x))

    def _depths(self, values: Array, first: int) -> Array:
        """Depth at which each row ends in the tree whose root is node `first`, (m,), float64."""
        trees = self._trees
        at, inside = np.full(len(values), first), np.arange(len(values))
        while len(inside):
            node = at[inside]
            smaller = values[inside, trees["column"][node]] <= trees["cut"][node]
            at[inside] = first + np.where(smaller, trees["left"][node], trees["right"][node])
            inside = inside[trees["left"][at[inside]] >= 0]
        return np.asarray(trees["depth"][at])

    def report(self) -> dict[str, Any]:
        """Number of trees and of their nodes."""
        return {"trees": len(self._trees["first"]), "nodes": len(self._trees["left"])}

    def save(self, folder: Path) -> None:
        """Write the fit into `folder`."""
        values = {"config": self.config.model_dump(), "seed": self.seed}
        write_fit(folder, NAME, values, self._trees)

    @classmethod
    def load(cls, folder: Path) -> "IforestDetector":
        """The detector saved in `folder`; its scores are the same to the last bit.

        Raises:
            StoreError: the folder holds no such fit, or it is damaged.
        """
        values, arrays = read_fit(folder, NAME)
        config = build(IforestConfig, values["config"], str(folder))
        detector = cls(config, seed=values["seed"])
        detector._trees = arrays
        return detector


def _tree(tree: Any) -> dict[str, Array]:
    """The nodes of a tree of scikit-learn: cuts, children (-1 = a leaf) and depth of a leaf."""
    left, right = tree.children_left.astype(np.int64), tree.children_right.astype(np.int64)
    depth = np.zeros(len(left))
    for node in np.flatnonzero(left >= 0):  # parents stand before their children
        depth[[left[node], right[node]]] = depth[node] + 1
    depth += np.where(left < 0, _mean_depth(tree.n_node_samples), 0)
    column = np.maximum(tree.feature, 0).astype(np.int64)
    return {"left": left, "right": right, "column": column, "cut": tree.threshold, "depth": depth}


def _mean_depth(n: Array) -> Array:
    """Cuts that set one of n objects apart on average, 0 of one and 1 of two: Liu et al., eq. 1."""
    more = np.maximum(n, 3).astype(np.float64)
    many = 2 * (np.log(more - 1) + np.euler_gamma) - 2 * (more - 1) / more
    return np.where(n <= 1, 0.0, np.where(n == 2, 1.0, many))


def _at_most(option: int | float | str, there: int) -> int | float | str:
    """An option that counts what is there: no more than there is."""
    return min(option, there) if isinstance(option, int) else option
