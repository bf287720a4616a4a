"""Scores that were made elsewhere, as a list beside all others."""

from pathlib import Path

import numpy as np

from fmb import Array, DataError, Vectors
from fmb.files import locate, read_table, refuse_duplicates
from fmb_detectors.config import FromTableConfig

__all__ = ["FromTableDetector"]


class FromTableDetector:
    """The scores that a table has of the same objects, found by id; higher is stranger.

    A rule without a fit: nothing is learned, and nobody knows what the scores were fitted to.

    Example:
        config = FromTableConfig(file="scores.csv", column="log_prob", higher="ordinary")
        scores = FromTableDetector(config, seed=0).score(vectors)
    """

    def __init__(self, config: FromTableConfig, *, seed: int, device: str = "cpu") -> None:
        self.config = config

    def fit(self, x: Vectors) -> None:
        """Nothing."""

    def score(self, x: Vectors) -> Array:
        """The score of each object, with the sign by which higher is stranger.

        Args:
            x: n objects; of the vectors nothing is used.

        Returns:
            Shape (n,), float64, in units of the file; row order of `x`.

        Raises:
            DataError: the file has no such column, no number in it for an object, or two.
        """
        ids, scores = self._listed()
        at = locate(x.ids, ids)
        if (at < 0).any():
            raise DataError(
                f"{self.config.file}: no score of {int((at < 0).sum()):,} of {len(x.ids):,}"
                f" objects, for instance {x.ids[at < 0][0]}; take the others with --include"
            )
        found = scores[at]
        if not np.isfinite(found).all():
            n, first = int((~np.isfinite(found)).sum()), x.ids[~np.isfinite(found)][0]
            raise DataError(f"{self.config.file}: {n:,} scores are no numbers, first of {first}")
        return found if self.config.higher == "stranger" else -found

    def report(self) -> dict[str, str]:
        """Where the scores are from and which of them are strange."""
        told = {"file": Path(self.config.file).name, "column": self.config.column}
        return {**told, "higher": self.config.higher, "sha256": self.config.sha256}

    def _listed(self) -> tuple[Array, Array]:
        """Ids and scores of the file, of the rows that are asked for."""
        config, path = self.config, Path(self.config.file).expanduser()
        table = read_table(path, text=(config.id, *config.rows))
        wanted = np.ones(len(table), dtype=bool)
        for column, value in config.rows.items():
            wanted &= np.asarray([str(one) == value for one in table.column(column)])
            if not wanted.any():
                raise DataError(f"{path}: no row has {value!r} in column {column!r}")
        ids = table.ids(config.id)[wanted]
        refuse_duplicates(ids, str(path))
        scores = table.column(config.column)[wanted]
        if scores.dtype.kind not in "iuf":
            what = {"b": "yes or no", "M": "times"}.get(scores.dtype.kind, "text")
            raise DataError(f"{path}: column {config.column!r} holds {what}, not scores")
        if hasattr(scores, "isna"):  # whole numbers with gaps
            return ids, scores.to_numpy(dtype=np.float64, na_value=np.nan)
        return ids, scores.astype(np.float64)
