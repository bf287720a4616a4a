"""Makes weights of any model: one loop, resumable, and the command that runs it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
