"""Tables that are hard to write, and what is told of them."""

import numpy as np
import pandas as pd

__all__ = ["GAPS", "IDS", "TOLD"]

IDS = {
    "int64": np.array([2**62 + 1, -(2**62) - 3, 2**53 + 1], dtype=np.int64),
    "uint64": np.array([2**63 + 1, 2**64 - 1, 5], dtype=np.uint64),
    "str": np.array(["J0049+15", 'a, "b"', "007"], dtype=object),
}
TOLD = {
    "run": "mine",
    "fmb": "0.1.0",
    "survey": {"name": "sky"},
    "survey_digest": "ab" * 32,
    "models": {"m": {"component": "p:m", "weights": {"sha256": "cd"}}},
    "detectors": {"d": "gaussian"},
    "lists": [
        {"list": "m.mean.image.d", "short": "image_d", "given": ["snr"], "ranked": 3,
         "fit": "cross-fit, 5 folds", "reference": None}
    ],
    "shown": "all objects",
    "calibration": [],
    "notes": ["simulated data: not evidence", "5 µJy " + "long " * 40],
}  # fmt: skip

GAPS = pd.DataFrame(
    {
        "flag": pd.array([True, None, False], dtype="boolean"),
        "fold": pd.array([None, -1, 4], dtype="Int16"),
        "tiny": pd.array([-5, None, 5], dtype="Int8"),
        "byte": pd.array([255, None, 0], dtype="UInt8"),
        "low": pd.array([-(2**63), None, 2**63 - 1], dtype="Int64"),
        "p": pd.array([0.25, None, 1.0], dtype="Float64"),
        "z": [np.nan, 0.5, 1.0],
        "text": ["a", None, "c"],
    }
)
