"""Errors so small that no float32 holds their inverse variance."""

import numpy as np
import pytest
from click.testing import CliRunner

from fmb.cli import main

TINY = [1e-25, 1e-200]
"""1 / error^2 is 1e50, beyond float32, and 1e400, beyond float64."""


@pytest.mark.parametrize("name", ["cam", "spec"])
def test_such_a_pixel_is_masked_and_its_ivar_no_infinity(files, name):
    flux = files.arrays["image" if name == "cam" else "flux"]
    error = np.full(flux.shape, 0.5)
    error.reshape(len(flux), -1)[2, 3:5] = TINY
    files.arrays["sigma"] = error
    source = getattr(files, name)
    source.pop("ivar", None)
    source["error"] = "sigma"
    read = files.open().read(np.arange(6)).inputs[name]
    ivar, mask = (np.asarray(one).reshape(6, -1) for one in (read.ivar, read.mask))
    assert mask[2, 3:5].all()
    assert not np.isinf(ivar).any()
    assert not mask[2, 5:8].any()
    assert (ivar[2, 5:8] == 4.0).all()  # 1 / 0.5^2
    told = CliRunner().invoke(main, ["data", "validate", str(files.folder)]).stdout
    ident = files.arrays["id"][2]
    assert f"warning: {name}: ivar that is no finite number: 1 object, {ident}" in told
