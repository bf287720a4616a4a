"""What people look at: text that fits a screen, how far work is, figures in their own style."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
