"""Conditions on the columns of a table: parsed without `eval`, computed without a digit lost."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
