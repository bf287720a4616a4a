"""Cross-fitting: detectors fitted to all folds but one, and scores of the objects of that one."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
