"""Names of a run's files, which are put together from labels and views that users choose."""

from collections.abc import Sequence

from fmb.contract.plot import PlotSpec
from fmb.messages.errors import ConfigError
from fmb.plan.choice import Chosen
from fmb.plan.records import ListPlan

__all__ = ["refuse_long_names"]

LONGEST = 200
"""Bytes of a name; 255 fit, with what stands around it while it is written."""


def refuse_long_names(lists: Sequence[ListPlan], plots: Sequence[Chosen[PlotSpec]]) -> None:
    """Check that each list, and the figures of it, can have files, before anything is computed.

    Raises:
        ConfigError: a name is too long; says what it is put together from.
    """
    labels = max((len(plot.label) + 1 for plot in plots), default=0)
    for one in lists:
        size = len(one.name.stem.encode()) + labels
        if size > LONGEST:
            raise ConfigError(
                f"list {one.name.stem[:60]}...: its files take names of {size} bytes, {LONGEST}"
                " fit; shorten labels of models, embedders, detectors or figures, or names of views"
            )
