"""An object that cannot be used is named and counted, and has no vector."""

import h5py
import numpy as np

RUN = ("run", "--model", "astropt", "--weights", "random", "--detector", "gaussian")


def poke(path, name, rows, value):
    with h5py.File(path.parent / "tiny.h5", "r+") as file:
        file[name][rows] = value


def test_an_all_nan_image_is_named_counted_and_has_no_vector(fmb, survey, home):
    poke(survey, "image/flux", 3, np.nan)
    result = fmb("embed", *RUN[1:5], "--data", survey)
    assert result.exit_code == 0
    assert str(3 * 7919 - 50_000) in result.stderr
    assert "no pixel has a value" in result.stderr
    vectors = {line.split()[2]: line.split()[3] for line in result.stdout.splitlines()[1:]}
    assert vectors == {"image": "39", "spectrum": "40", "joint": "39"}


def test_a_spectrum_without_a_good_pixel_is_named_counted_and_has_no_vector(fmb, survey, home):
    poke(survey, "spectrum/ivar", 5, 0.0)
    result = fmb("embed", *RUN[1:5], "--data", survey)
    assert result.exit_code == 0
    assert f"no good pixel: 1 object, {5 * 7919 - 50_000}" in result.stderr
    vectors = {line.split()[2]: line.split()[3] for line in result.stdout.splitlines()[1:]}
    assert vectors == {"image": "40", "spectrum": "39", "joint": "39"}
