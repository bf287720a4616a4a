"""Lets pytest show the values in a failed check of a contract, as in a test of your own."""

import pytest

__all__: list[str] = []

pytest.register_assert_rewrite("fmb.testing.detector_contract")
