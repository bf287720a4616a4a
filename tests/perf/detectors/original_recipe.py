"""The flow recipe of the original Foundation Models Benchmark, as a baseline for ours.

Re-expressed from its released settings (MaxRonce/foundation-models-benchmark, commit 1af099a,
`detection/{run,models,train}.py` and `anomalies.yaml`): the 100 components of largest variance,
each standardised and clipped at 8 sigma; RealNVP of normflows with 4 transforms and 16 hidden
units; Adam at 1e-4, batches of 24, 5 epochs, gradient norm 5; scored on the rows it was fitted to.
One departure: an odd number of components, on which it stops with an error, is lowered by one.
"""

import normflows
import numpy as np
import torch
from sklearn.decomposition import PCA
from torch.utils.data import DataLoader, TensorDataset

__all__ = ["original_scores"]

COMPONENTS, TRANSFORMS, HIDDEN = 100, 4, 16
EPOCHS, BATCH, RATE, WEIGHT_DECAY, GRADIENT_NORM, CLIP = 5, 24, 1e-4, 1e-5, 5.0, 8.0


def original_scores(values: np.ndarray, seed: int = 42) -> np.ndarray:
    """Negative log-likelihood of each row, (n,), after a fit to all of them.

    Args:
        values: (n, d), float32.
        seed: the recipe's own is 42.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # normflows and DataLoader draw from the global generator
        x = prepared(values, seed)
        flow = real_nvp(x.shape[1])
        train(flow, x)
        with torch.no_grad():
            batches = DataLoader(TensorDataset(x), batch_size=2048)
            return -np.concatenate([flow.log_prob(batch).numpy() for (batch,) in batches])


def prepared(values: np.ndarray, seed: int) -> torch.Tensor:
    """Leading components, standardised and clipped."""
    k = min(COMPONENTS, *values.shape)
    k -= k % 2
    if k < values.shape[1]:
        values = PCA(n_components=k, random_state=seed).fit_transform(values)
    x = torch.tensor(values, dtype=torch.float32)
    x = (x - x.mean(dim=0)) / x.std(dim=0).clamp_min(1e-6)
    return x.clamp(-CLIP, CLIP)


def real_nvp(features: int) -> torch.nn.Module:
    """Affine couplings with halves swapped and normalised between them."""
    layers = []
    for _ in range(TRANSFORMS):
        network = normflows.nets.MLP(
            [features // 2, HIDDEN, HIDDEN, 2 * (features - features // 2)], init_zeros=True
        )
        layers += [
            normflows.flows.AffineCouplingBlock(network, scale_map="sigmoid"),
            normflows.flows.Permute(features, mode="swap"),
            normflows.flows.ActNorm((features,)),
        ]
    return normflows.NormalizingFlow(normflows.distributions.base.DiagGaussian(features), layers)


def train(flow: torch.nn.Module, x: torch.Tensor) -> None:
    """Maximum likelihood, in place."""
    optimiser = torch.optim.Adam(flow.parameters(), lr=RATE, weight_decay=WEIGHT_DECAY)
    batches = DataLoader(TensorDataset(x), batch_size=min(BATCH, len(x)), shuffle=True)
    for _ in range(EPOCHS):
        for (batch,) in batches:
            loss = -flow.log_prob(batch).mean()
            if not torch.isfinite(loss):
                continue
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(flow.parameters(), GRADIENT_NORM)
            optimiser.step()
