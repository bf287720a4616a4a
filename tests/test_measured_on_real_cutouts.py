"""Real cutouts without a catalogue: what is measured on them finds what the raw list hides."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from fmb import open_run

FOLDER = os.environ.get("FMB_TEST_DATA")
SURVEY = """
name = "euclid"
file = "{file}"
catalog = {{ id = "object_id", ra = "ra", dec = "dec", label = "label" }}

[inputs.euclid]
kind = "images"
flux = "image"
bands = ["VIS"]
unit = "display"
pixel_scale_arcsec = 0.1
"""
OTHERS, RARE, DRAWS = 784, 16, 5


@pytest.mark.skipif(not FOLDER, reason="FMB_TEST_DATA names no folder of real data")
def test_mergers_are_found_in_twice_as_many_looks_when_their_light_is_given(fmb, tmp_path):
    file = Path(str(FOLDER)) / "euclid_q1_vis" / "euclid_q1_vis.h5"
    (tmp_path / "survey.toml").write_text(SURVEY.format(file=file))
    with h5py.File(file) as opened:
        ids, labels = (opened[name].asstr()[:] for name in ("object_id", "label"))
    rng = np.random.default_rng(0)
    others = rng.permutation(np.flatnonzero(labels == "nonmerger"))[:OTHERS]
    mergers = rng.permutation(np.flatnonzero(labels == "merger"))
    words = "detect --model astropt --weights tiny-one-band --detector raw=gaussian --detector"
    given = "--set detector.raw.given=none --set detector.given.given=['sky','noise','light']"
    found = {"raw": 0, "given": 0}
    for draw in range(DRAWS):  # mergers are made rare: 2 %, others each time
        chosen = np.concatenate([others, mergers[draw * RARE : (draw + 1) * RARE]])
        (tmp_path / "ids.txt").write_text("\n".join(ids[chosen]))
        result = fmb(
            *words.split(), "given=gaussian", *given.split(), "--data", tmp_path / "survey.toml",
            "--include", tmp_path / "ids.txt", "--out", f"draw-{draw}",
        )  # fmt: skip
        assert result.exit_code == 0, result.stderr
        run = open_run(f"draw-{draw}")
        for name in run.lists:
            found[name.detector] += int((run.ranked(name)["label"][:100] == "merger").sum())
    assert found["given"] >= 2 * max(found["raw"], 1)
    # More than chance too, 100 of 800 looks: 10 of 80, and 18 with a probability of 0.8 %.
    assert found["given"] > 18
