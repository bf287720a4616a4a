"""What files hold: ids, tables and HDF5 datasets, each value as its file has it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
