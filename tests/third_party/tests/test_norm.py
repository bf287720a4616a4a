import numpy as np
from fmb_norm_demo.norm import NormDetector

from fmb import Config, Vectors
from fmb.testing import DetectorContract


class TestNorm(DetectorContract):
    def make(self, seed=0):
        return NormDetector(Config(), seed=seed, device="cpu")


def test_two_standard_deviations_from_the_mean_score_two():
    detector = NormDetector(Config(), seed=0, device="cpu")
    detector.fit(Vectors(np.arange(2), np.array([[1.0, 7.0], [3.0, 7.0]])))
    assert detector.score(Vectors(np.array([9]), np.array([[4.0, 7.0]]))).tolist() == [2.0]
