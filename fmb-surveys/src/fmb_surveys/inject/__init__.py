"""Anomalies planted into copies of a survey's own objects; `fmb inject` calls it.

Its parts are imported on first use: the help text needs neither numpy nor pandas.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
