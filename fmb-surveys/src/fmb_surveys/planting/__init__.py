"""Planted anomalies: kinds declared beforehand, and a dataset that wraps any dataset.

Its parts are imported on first use: the table of kinds needs neither numpy nor pandas.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
