"""The demo survey: simulated galaxies with planted anomalies.

Its parts are imported on first use: a configuration can be checked without the simulation.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
