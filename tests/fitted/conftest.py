"""Two lots of objects of one sky, and one of another."""

import numpy as np
import pytest
from fitted_sky import NEW, N, sky, write


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def skies(home, rng):
    """Two lots of objects of one sky, and one of a sky that is fainter and noisier."""
    write("old", sky(rng, N, 0))
    write("new", sky(rng, NEW, 10_000))
    write("other", sky(rng, NEW, 20_000, fainter=1.0, noisier=1.4))
    return home
