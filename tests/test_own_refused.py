"""Own vectors that cannot be what they say: told in one line that names what is wrong."""

import h5py
import numpy as np
import pytest
import torch

N, D = 40, 12
IDS = np.arange(N)
VALUES = np.random.default_rng(1).normal(size=(N, D)).astype(np.float32)
NUMBERED = {"object_id": IDS, **{f"f{i}": VALUES[:, i] for i in range(D)}}
DETECT = ("detect", "--detector", "gaussian", "--fit", "in-sample", "--out", "r", "--embeddings")


def refused(result, *words):
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    assert not [word for word in words if word not in result.stderr], result.stderr


@pytest.mark.parametrize(("ending", "place"), [("h5", "/f6"), ("npz", "f6"), ("pt", "f6")])
@pytest.mark.parametrize("longer", [1, -1])
def test_numbers_of_more_or_fewer_objects_than_the_others_are_refused(
    fmb, home, tmp_path, ending, place, longer
):
    other = np.append(VALUES[:, 6], 99)[: N + longer].astype(np.float32)
    held = {**NUMBERED, "f6": other}
    if ending == "h5":
        with h5py.File(tmp_path / "v.h5", "w") as file:
            file.update(held)
    elif ending == "npz":
        np.savez(tmp_path / "v.npz", **held)
    else:
        torch.save({name: torch.tensor(values) for name, values in held.items()}, tmp_path / "v.pt")
    told = f"v.{ending}: '{place}' has {N + longer} numbers and '{place[:-1]}0' {N}"
    refused(fmb(*DETECT, f"v.{ending}"), told)
