"""FMB, the Foundation Models Benchmark: strange objects of a survey, according to which model.

What is public stands in `__init__.pyi`, once; it is imported on first use, because importing fmb
must import neither numpy nor torch nor pydantic.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
