"""Seeds for the parts of a run, derived from the one number a user gives."""

import json
from hashlib import blake2b
from operator import index

__all__ = ["derive_seed"]


def derive_seed(seed: int, *parts: str | int) -> int:
    """A seed that belongs to one part of a run and to no other.

    Args:
        seed: the user's number.
        parts: what the part is called, coarse to fine: kind, "plugin:name", view, fold.
            1 and "1" are different parts.

    Returns:
        In [0, 2**63), the same on every machine; numpy and torch generators take it.

    Raises:
        TypeError: a part is neither text nor an integer.
    """
    # JSON keeps ("ab", "c") apart from ("a", "bc"), and 1 from "1".
    key = json.dumps([index(seed), *(p if isinstance(p, str) else index(p) for p in parts)])
    digest = blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
