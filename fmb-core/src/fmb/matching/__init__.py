"""Matching: which instrument of a survey feeds which slot of a model, and what does not fit."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
