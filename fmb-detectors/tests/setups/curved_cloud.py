"""Vectors that no Gaussian describes, and a flow that is fitted to them."""

import numpy as np

from fmb import Vectors
from fmb_detectors.config import FlowConfig
from fmb_detectors.flow import FlowDetector


def vectors(values):
    values = np.asarray(values, dtype=np.float32)
    return Vectors(np.arange(len(values)), values)


def fitted(values, seed=0, **options):
    detector = FlowDetector(FlowConfig(**options), seed=seed)
    detector.fit(vectors(values))
    return detector


def curved(n, seed=0, latent=6, d=16):
    """Six columns are parabolas of six others: uncorrelated with them, yet anything but free."""
    rng = np.random.default_rng(seed)
    t = rng.normal(size=(n, latent))
    bent = (t**2 - 1) / np.sqrt(2) + 0.1 * rng.normal(size=(n, latent))
    return np.hstack([t, bent, rng.normal(size=(n, d - 2 * latent))]) * 3 + 50
