"""What all tests share, wherever they lie."""

import contextlib

with contextlib.suppress(ImportError):  # a distribution tested alone may do without
    from hypothesis import settings

    # A time limit an example says how busy a machine is, not whether the code is right.
    settings.register_profile("no deadline", deadline=None)
    settings.load_profile("no deadline")
