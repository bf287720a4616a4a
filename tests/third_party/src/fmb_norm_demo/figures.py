"""A figure for each view and one for the run."""

import numpy as np
from matplotlib.figure import Figure

__all__ = ["Lengths", "SharedTops"]


class Lengths:
    """Histogram of the lengths of a view's vectors."""

    def __init__(self, config):
        pass

    def draw(self, data):
        figure = Figure(layout="constrained")
        axes = figure.add_subplot(title=data.title, xlabel="length", ylabel="objects")
        for _, matrix in data.run.vectors(data.view).blocks():
            axes.hist(np.linalg.norm(matrix, axis=1), bins=20)
        return figure


class SharedTops:
    """Bars of how many objects two lists share."""

    def __init__(self, config):
        pass

    def draw(self, data):
        table = data.run.table("shared", "pairs")
        figure = Figure(figsize=(8, 1 + 0.5 * len(table)), layout="constrained")
        axes = figure.add_subplot(title=data.title, xlabel="objects among the strangest of both")
        axes.barh(table["a"] + "\n" + table["b"], table["shared"])
        return figure
