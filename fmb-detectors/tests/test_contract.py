"""The detectors keep the contract of `fmb.testing`, and tell what their records name."""

import numpy as np

from fmb import Vectors
from fmb.testing import DetectorContract
from fmb_detectors.config import FlowConfig, GaussianConfig, RolesConfig
from fmb_detectors.flow import FlowDetector
from fmb_detectors.gaussian import GaussianDetector
from fmb_detectors.plugin import fmb_register_detectors
from fmb_detectors.roles import RolesDetector

RECORDS = {record.name: record for record in fmb_register_detectors()}


class TestGaussian(DetectorContract):
    spec = RECORDS["gaussian"]

    def make(self, seed=0):
        return GaussianDetector(GaussianConfig(), seed=seed, device="cpu")


class TestFlowThatFallsBack(DetectorContract):
    spec = RECORDS["flow"]

    def make(self, seed=0):
        return FlowDetector(FlowConfig(epochs=2, hidden=8), seed=seed, device="cpu")

    def test_the_flow_is_not_used(self):
        assert self.fitted().report()["fallback"]


class TestFlowThatIsUsed(DetectorContract):
    """The contract's own vectors are Gaussian; these are three parabolas."""

    spec = RECORDS["flow"]

    def make(self, seed=0):
        return FlowDetector(FlowConfig(hidden=32, components=6), seed=seed, device="cpu")

    def ordinary(self, seed):
        rng = np.random.default_rng(seed)
        t = rng.normal(size=(self.n_objects, self.n_dims // 2))
        values = np.hstack([t, t**2 + 0.1 * rng.normal(size=t.shape)])
        return Vectors(np.arange(len(values)), values.astype(np.float32))

    def test_the_flow_is_used(self):
        assert not self.fitted().report()["fallback"]


class TestFlowOfCouplingsAndSeveralSeeds(TestFlowThatIsUsed):
    """The same three parabolas."""

    def make(self, seed=0):
        config = FlowConfig(hidden=32, components=6, kind="coupling", seeds=2)
        return FlowDetector(config, seed=seed, device="cpu")


class TestRoles(DetectorContract):
    spec = RECORDS["roles"]
    tolerance = 1e-3

    def make(self, seed=0):
        return RolesDetector(RolesConfig(), seed=seed, device="cpu")
