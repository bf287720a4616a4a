"""What people read on a screen: text and tables that fit it, and how far work is."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
