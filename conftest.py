"""What all tests share, wherever they lie."""

import contextlib

with contextlib.suppress(ImportError):  # a distribution tested alone may do without
    from hypothesis import HealthCheck, settings

    # A time limit an example says how busy a machine is, not whether the code is right.
    slow = [HealthCheck.too_slow]
    settings.register_profile("no deadline", deadline=None, suppress_health_check=slow)
    settings.load_profile("no deadline")
