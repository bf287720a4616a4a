"""A survey of images and spectra, of which objects lack one, band or mask."""

from dataclasses import replace

import numpy as np
import pandas as pd

from fmb import Batch, Images, InputInfo, Spectra
from fmb_surveys.files.reader import FilesConfig, open_survey_file

N = 7
PER_ROW = (
    "values",
    "errors",
    "flux",
    "ivar",
    "mask",
    "band_valid",
    "psf_fwhm_arcsec",
    "lsf_aa",
    "wavelength_aa",
)


class Simulated:
    """Three inputs with everything they can carry; some objects lack one or two of them."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        self.ids = np.array([3, -1, 2**62 + 1, 9, 10, 2**53 + 1, 0])
        self.identity = {"name": "sim", "seed": 3, "kinds": ["lens", None], "rate": 0.1}
        self.warnings = ["simulated: for looking"]
        self.catalog = pd.DataFrame(
            {
                "snr": rng.normal(size=N).astype(np.float32),
                "ra": rng.uniform(0, 360, N),
                "dec": rng.uniform(-90, 90, N),
                "partner": pd.array([2**62, None, 1, 2, 3, 4, 5], dtype="Int64"),
                "label": ["", "lens", "é", "a", "b", None, "c"],
                "good": rng.uniform(size=N) > 0.5,
                "tile": np.arange(N, dtype=np.uint8),
                "kind": pd.Categorical(["a", "b", "a", "a", "b", "b", "a"]),
            }
        )
        self.catalog.attrs["units"] = {"ra": "deg", "dec": "deg"}
        self.catalog.attrs["roles"] = {"snr": "snr", "class": "kind"}
        seen = np.array([1, 0, 1, 1, 0, 1, 0], dtype=bool)
        self.present = {"cam": None, "own": seen, "shared": ~seen}
        m = {name: N if p is None else int(p.sum()) for name, p in self.present.items()}
        self.data = {
            "cam": Images(
                flux=rng.normal(size=(N, 2, 5, 4)).astype("f4"),
                bands=("G", "R"),
                band_valid=rng.uniform(size=(N, 2)) > 0.3,
                unit="nmgy",
                pixel_scale_arcsec=0.262,
                ivar=rng.uniform(-1, 1, size=(N, 2, 5, 4)).astype("f4"),
                mask=rng.uniform(size=(N, 2, 5, 4)) > 0.8,
                psf_fwhm_arcsec=rng.uniform(1, 2, (N, 2)).astype("f4"),
            ),
            "own": Spectra(
                flux=np.where(rng.uniform(size=(m["own"], 11)) > 0.9, np.nan, 1).astype("f4"),
                ivar=rng.uniform(-1, 1, (m["own"], 11)).astype("f4"),
                mask=rng.uniform(size=(m["own"], 11)) > 0.5,
                wavelength_aa=rng.uniform(1e3, 1e4, (m["own"], 11)),
                unit="counts",
                calibrated=False,
                lsf_aa=rng.uniform(size=(m["own"], 11)).astype("f4"),
            ),
            "shared": Spectra(
                flux=rng.normal(size=(m["shared"], 9)).astype("f4"),
                mask=np.zeros((m["shared"], 9), dtype=bool),
                wavelength_aa=np.linspace(4000, 5000, 9),
                unit="1e-17 erg / (s cm2 Angstrom)",
            ),
        }
        self.inputs = {
            name: InputInfo(
                kind="images" if name == "cam" else "spectra",
                unit=data.unit,
                bands=getattr(data, "bands", ()),
                shape=data.flux.shape[2:] or data.flux.shape[1:],
                pixel_scale_arcsec=getattr(data, "pixel_scale_arcsec", None),
                wavelength_aa=None
                if name == "cam"
                else (float(data.wavelength_aa.min()), float(data.wavelength_aa.max())),
                calibrated=name != "own",
                present=self.present[name],
            )
            for name, data in self.data.items()
        }

    def __len__(self) -> int:
        return N

    def read(self, rows, inputs=None):
        rows = np.asarray(rows)
        found, kept = {}, {}
        for name in inputs or self.data:
            have = self.present[name]
            at = np.arange(N) if have is None else np.where(have, np.cumsum(have) - 1, -1)
            kept[name] = np.flatnonzero(at[rows] >= 0)
            chosen, data = at[rows][kept[name]], self.data[name]
            found[name] = replace(
                data,
                **{
                    field: value[chosen]
                    for field in PER_ROW
                    if (value := getattr(data, field, None)) is not None
                    and (field != "wavelength_aa" or getattr(value, "ndim", 0) == 2)
                },
            )
        return Batch(ids=self.ids[rows], inputs=found, rows=kept)


def reopen(folder):
    return open_survey_file(str(folder), FilesConfig(), cache=folder)


def assert_same_objects(one, other):
    rows = np.arange(N)
    a, b = one.read(rows), other.read(rows)
    assert list(a.inputs) == list(b.inputs)
    for name, data in a.inputs.items():
        assert np.array_equal(a.rows[name], b.rows[name])
        for field in (*PER_ROW, "bands", "unit", "pixel_scale_arcsec", "calibrated"):
            x, y = getattr(data, field, None), getattr(b.inputs[name], field, None)
            if isinstance(x, np.ndarray):
                assert x.dtype == y.dtype, (name, field)
                assert np.array_equal(x, y, equal_nan=x.dtype.kind == "f"), (name, field)
            else:
                assert x == y, (name, field)
