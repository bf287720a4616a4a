"""One object of a survey as it was observed, without any run."""

import numpy as np
from matplotlib.figure import Figure

from fmb import DataError, PlotData
from fmb.datasets import objects_at
from fmb_viz.cards import plain_card
from fmb_viz.config import ObjectPageConfig, OutlierGridConfig
from fmb_viz.outlier_grid import OutlierGrid

__all__ = ["ObjectPage"]


class ObjectPage:
    """The card that the gallery has of an object, but for its standing in a list.

    Args:
        config: how it is drawn.
    """

    def __init__(self, config: ObjectPageConfig) -> None:
        self.config = config

    def draw(self, data: PlotData) -> Figure:
        """A page of one object.

        Args:
            data: its survey is that object.

        Raises:
            DataError: there is no survey, or it has no or several objects.
            ConfigError: a band, instrument or column of the configuration does not exist.
        """
        if data.survey is None or len(data.survey) != 1:
            raise DataError(f"{data.title}: object-page is drawn of one object of a survey")
        row = np.arange(1)
        batch = data.survey.read(row)
        one = plain_card(str(batch.ids[0]), objects_at(data.survey, row), self.config.facts)
        grid = OutlierGrid(OutlierGridConfig(n_objects=1, **self.config.model_dump()))
        return grid.page(data, batch, [one], "One object as it was observed")
