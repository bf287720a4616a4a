"""Simulated embeddings: to choose options by likelihood, to plant anomalies, to take times."""

import numpy as np

__all__ = ["FAMILIES", "clump", "curved", "moment_matched", "network_vectors"]


def network_vectors(n: int, seed: int, d: int = 256) -> np.ndarray:
    """A mixture of eight normals in 16 dimensions through a tanh network, with t4 noise."""
    fixed, rng = np.random.default_rng(1), np.random.default_rng(seed)
    centre, width = 2 * fixed.normal(size=(8, 16)), fixed.uniform(0.3, 1, size=(8, 16))
    first, second = fixed.normal(size=(16, 128)) / 4, fixed.normal(size=(128, d)) / np.sqrt(128)
    member = rng.integers(8, size=n)
    latent = centre[member] + width[member] * rng.normal(size=(n, 16))
    noise = 0.1 * rng.standard_t(4, size=(n, d))
    return (np.tanh(latent @ first) @ second + noise).astype(np.float32)


def curved(n: int, seed: int, d: int = 128, sky: int = 0) -> np.ndarray:
    """Six parabolas in 32 of d dimensions, each with normal noise; the other dimensions normal.

    Args:
        n: rows.
        seed: draws the rows.
        d: columns.
        sky: draws where the parabolas lie.
    """
    fixed, rng = np.random.default_rng(sky), np.random.default_rng(seed)
    rank, clusters = 32, 6
    centre, along, bend = fixed.normal(size=(3, clusters, rank))
    turn = np.linalg.qr(fixed.normal(size=(d, d)))[0]
    member, t = rng.integers(clusters, size=n), rng.normal(size=(n, 1))
    core = centre[member] + t * along[member] + (t**2 - 1) * bend[member]
    core += 0.3 * rng.normal(size=core.shape)
    return (np.hstack([core, rng.normal(size=(n, d - rank))]) @ turn).astype(np.float32)


def heavy(n: int, seed: int, d: int = 128) -> np.ndarray:
    """Independent t2.5 variables of falling width, mixed linearly."""
    mix = np.random.default_rng(7).normal(size=(d, d))
    t = np.random.default_rng(seed).standard_t(2.5, size=(n, d))
    return (t * np.exp(-np.arange(d) / 40) @ mix).astype(np.float32)


def skewed(n: int, seed: int, d: int = 128) -> np.ndarray:
    """Twenty log-normal factors with normal noise."""
    mix, rng = np.random.default_rng(8).normal(size=(20, d)), np.random.default_rng(seed)
    factors = np.exp(0.7 * rng.normal(size=(n, 20)))
    return (factors @ mix + 0.3 * rng.normal(size=(n, d))).astype(np.float32)


FAMILIES = {
    "network": network_vectors,
    "parabolas": curved,
    "heavy tails": heavy,
    "skewed": skewed,
}


def moment_matched(values: np.ndarray, m: int, seed: int) -> np.ndarray:
    """m rows from the normal distribution with the mean and covariance of `values`."""
    rng = np.random.default_rng(seed)
    covariance = np.cov(values.T, dtype=np.float64)
    return rng.multivariate_normal(values.mean(axis=0), covariance, size=m).astype(np.float32)


def clump(values: np.ndarray, m: int, seed: int) -> np.ndarray:
    """m rows close to one place, itself drawn from the moments of `values`."""
    rng = np.random.default_rng(seed)
    noise = 0.3 * values.std(axis=0) * rng.normal(size=(m, values.shape[1]))
    return (moment_matched(values, 1, seed) + noise).astype(np.float32)
