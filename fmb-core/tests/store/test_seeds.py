"""Seeds of the parts of a run."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmb.store.keys import derive_seed

examples = settings(max_examples=50, deadline=None)

parts = st.lists(st.one_of(st.text(max_size=5), st.integers(-3, 3)), max_size=4)


def test_a_seed_is_what_b2sum_says_it_is():
    # printf '[0, "detector", "core:flow", "image", 3]' | b2sum -l 64, without its last bit.
    assert derive_seed(0, "detector", "core:flow", "image", 3) == 0x61489EFA4FC881DF >> 1


@examples
@given(st.integers(0, 9), parts, st.integers(0, 9), parts)
def test_different_parts_have_different_seeds(seed_a, a, seed_b, b):
    same = (seed_a, a) == (seed_b, b) and [type(p) for p in a] == [type(p) for p in b]
    assert (derive_seed(seed_a, *a) == derive_seed(seed_b, *b)) == same


@examples
@given(st.integers(), parts)
def test_every_seed_feeds_a_generator(seed, names):
    derived = derive_seed(seed, *names)
    assert 0 <= derived < 2**63
    np.random.default_rng(derived)


def test_a_numpy_integer_is_the_integer_it_holds():
    assert derive_seed(np.int64(7), np.int32(2)) == derive_seed(7, 2)


def test_a_fraction_is_not_a_part():
    with pytest.raises(TypeError):
        derive_seed(0, 0.5)
