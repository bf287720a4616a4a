"""Pairs of vectors that are related, and the detector that is fitted to them."""

import numpy as np

from fmb import Pairs, VectorName
from fmb_detectors.mismatch import MismatchDetector
from fmb_detectors.mismatch_config import MismatchConfig
from fmb_detectors.plugin import fmb_register_detectors

IMAGE, SPECTRUM = VectorName("m", "mean", "image"), VectorName("m", "mean", "spectrum")
DETAILS = next(tuple(s.details) for s in fmb_register_detectors() if s.name == "mismatch")


def pairs(a, b, columns=None, *, aligned=False, start=0):
    ids = np.arange(start, start + len(a))
    a, b = np.asarray(a, dtype="f4"), np.asarray(b, dtype="f4")
    return Pairs(ids, a, b, aligned, (IMAGE, SPECTRUM), columns or {})


def related(n, seed=0, d=(5, 4), shared=3, noise=0.5, mixing=0):
    """Views that share hidden numbers; the same relation for one `mixing`, whatever the seed."""
    fixed, random = np.random.default_rng(mixing), np.random.default_rng(seed)
    hidden = random.normal(size=(n, shared))
    return [
        hidden @ fixed.normal(size=(shared, width)) + noise * random.normal(size=(n, width))
        for width in d
    ]


def new(**options):
    return MismatchDetector(MismatchConfig(**options), seed=0)


def fitted(x, **options):
    detector = new(**options)
    detector.fit(x)
    return detector
