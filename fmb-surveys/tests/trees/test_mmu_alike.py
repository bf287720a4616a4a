"""Files of a Multimodal Universe tree have the same datasets, whichever file is read first."""

import re

import h5py
import numpy as np
import pytest

N = 3
PLACES = ["healpix=94", "healpix=1107", "healpix=1108"]
"""In the order in which they are read."""


def part(at):
    return {
        "object_id": np.arange(N) + 10 * at,
        "ra": np.arange(N) * 1.0,
        "dec": np.arange(N) * 1.0,
        "TYPE": np.array([b"SER", b"EXP", b"REX"]),
        "NOBS": np.arange(N),
        "image_band": np.tile(np.array([b"des-g", b"des-r"]), (N, 1)),
        "image_array": np.ones((N, 2, 4, 4), dtype=np.float32),
        "image_mask": np.ones((N, 2, 4, 4), dtype=bool),
        "image_scale": np.full((N, 2), 0.262),
    }


def without(name):
    return lambda arrays: arrays.pop(name)


def put(name, make):
    return lambda arrays: arrays.__setitem__(name, make(arrays.get(name)))


UNLIKE = {
    "no mask": (without("image_mask"), "'image_mask' is not there, but in "),
    "no column": (without("NOBS"), "'NOBS' is not there, but in "),
    "one column more": (put("EXTRA", lambda old: np.arange(N)), "'EXTRA' is not there, but in "),
    "positions too short": (put("ra", lambda old: old[:2]), r"'ra' has shape \(2,\) for 3 objects"),
    "fractions": (put("NOBS", lambda old: old + 0.5), "'NOBS' holds .*; write all files alike"),
    "text": (put("NOBS", lambda old: np.array([b"1"] * N)), "'NOBS' holds (text|.*expected text)"),
    "no sign": (put("NOBS", lambda old: old.astype("u8")), "'NOBS' holds .*without a sign"),
    "several values": (put("NOBS", lambda old: np.ones((N, 5), int)), r"'NOBS' holds .*axes: 2"),
    "ids of text": (put("object_id", lambda old: np.array([b"a", b"b", b"c"])), "'object_id' hol"),
}  # fmt: skip


@pytest.mark.parametrize("odd", range(len(PLACES)))
@pytest.mark.parametrize("kind", UNLIKE)
def test_a_file_unlike_the_others_is_one_line_whatever_their_order(kind, odd, tmp_path, fmb):
    change, told = UNLIKE[kind]
    for at, place in enumerate(PLACES):
        arrays = part(at)
        if at == odd:
            change(arrays)
        path = tmp_path / "tree" / place / "001-of-001.hdf5"
        path.parent.mkdir(parents=True)
        with h5py.File(path, "w") as file:
            for name, values in arrays.items():
                file[name] = values
    result = fmb("data", "show", str(tmp_path / "tree"))
    assert result.exit_code == 2
    assert re.search(told, result.stderr), result.stderr
    assert result.stderr.count("\n") == 1
