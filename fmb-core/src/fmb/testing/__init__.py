"""Conformance kit for authors of plugins: subclass a contract and pytest runs its checks.

Its parts are imported on first use: pytest loads this package in every project that has fmb-core
installed.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
