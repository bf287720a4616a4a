"""What a request comes to: every name resolved, every file opened, nothing computed."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
