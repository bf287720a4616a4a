"""Trees of the Multimodal Universe as it documents them, made small."""

import numpy as np
import pytest

from fmb import FmbError, build
from fmb_surveys.trees.mmu import MMUConfig, open_mmu

RNG = np.random.default_rng(8)
PARTS = {"healpix=1107": 3, "healpix=94": 2}
"""Folder of a part of the sky -> its objects; read by their numbers, 94 first."""


def legacysurvey(n: int) -> dict:
    """Cutouts of four bands of a Legacy Survey configuration."""
    return {
        "object_id": np.array(
            [f"{RNG.integers(10**6):06d}p{r}-{r}" for r in range(n)], dtype="S16"
        ),
        "ra": RNG.uniform(0, 360, n),
        "dec": RNG.uniform(-90, 30, n),
        "healpix": np.full(n, 3),
        "EBV": RNG.uniform(0, 0.1, n).astype(np.float32),
        "FLUX_R": RNG.uniform(1, 9, n).astype(np.float32),
        "SHAPE_R": RNG.uniform(1, 2, n).astype(np.float32),
        "TYPE": np.array(["SER", "EXP", "REX"][:n], dtype="S3"),
        "image_band": np.tile(np.array([b"des-g", b"des-r", b"des-i", b"des-z"]), (n, 1)),
        "image_array": RNG.normal(size=(n, 4, 6, 6)).astype(np.float32),
        "image_ivar": RNG.uniform(1, 2, (n, 4, 6, 6)).astype(np.float32),
        "image_mask": RNG.random((n, 6, 6)) < 0.8,
        "image_psf_fwhm": RNG.uniform(1, 2, (n, 4)),
        "image_scale": np.full((n, 4), 0.262, dtype=np.float32),
        "catalog_FLUX_R": np.zeros((n, 20), dtype=np.float32),
    }


def sdss(n: int) -> dict:
    """Spectra of a survey of SDSS: each file padded to its longest."""
    width, short = 10 + 2 * n, 9
    wave = np.tile(10 ** (3.58 + 1e-4 * np.arange(width)), (n, 1)).astype(np.float32)
    flux = RNG.normal(size=(n, width)).astype(np.float32)
    ivar = RNG.uniform(1, 2, (n, width)).astype(np.float32)
    mask = RNG.random((n, width)) < 0.1
    wave[0, short:], ivar[0, short:], mask[0, short:] = -1, 0, True
    flux[0, short:] = flux[0, short - 1]
    return {
        "object_id": np.array([f"{2**62 + RNG.integers(2**60)}  " for _ in range(n)], dtype="S22"),
        "ra": RNG.uniform(0, 360, n),
        "dec": RNG.uniform(-90, 90, n),
        "Z": RNG.uniform(0, 1, n).astype(np.float32),
        "VDISP": RNG.uniform(90, 200, n).astype(np.float32),
        "SPECTROFLUX": RNG.uniform(size=(n, 5)).astype(np.float32),
        "spectrum_flux": flux,
        "spectrum_ivar": ivar,
        "spectrum_lambda": wave,
        "spectrum_mask": mask,
        "spectrum_lsf_sigma": np.ones((n, width), dtype=np.float32),
    }


def desi(n: int) -> dict:
    """Spectra of DESI: one grid, repeated in every row; ids are whole numbers."""
    made = sdss(n) | {"object_id": 39_633_345_008_634_465 + RNG.integers(1, 10**9, n)}
    width = made["spectrum_flux"].shape[1]
    made["spectrum_lambda"] = np.tile(3600 + 0.8 * np.arange(30, dtype=np.float32), (n, 1))
    for name in ("flux", "ivar", "mask", "lsf_sigma"):
        values = made[f"spectrum_{name}"]
        made[f"spectrum_{name}"] = np.pad(values, ((0, 0), (0, 30 - width)), mode="edge")
    made["FIBERFLUX_R"] = made.pop("VDISP")
    del made["SPECTROFLUX"]
    return made


def opened(folder, **settings):
    config = build(MMUConfig, settings, "data")
    return open_mmu(str(folder), config, cache=folder.parent / "cache")


def rows_of(parts, name):
    return np.concatenate([part[name] for part in parts])


def texts(stored):
    return [text.decode().strip() for text in stored]


def hsc(n):
    made = legacysurvey(n)
    made["image_band"] = np.tile(np.array([b"hsc-g", b"hsc-r", b"hsc-i", b"hsc-z"]), (n, 1))
    made["image_mask"] = np.repeat(made["image_mask"][:, None], 4, axis=1)
    return made


def whole(folder, inputs):
    dataset = opened(folder, inputs=inputs)
    return dataset.read(np.arange(len(dataset)))


def refused(folder, **inputs) -> str:
    with pytest.raises(FmbError) as caught:
        whole(folder, inputs)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)
