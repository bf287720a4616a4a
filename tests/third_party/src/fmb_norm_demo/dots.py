"""A survey that is made on the spot: noise with a bright dot."""

import numpy as np
import pandas as pd

from fmb import Batch, Config, Images, InputInfo

__all__ = ["Dots", "DotsConfig", "open_dots"]

BANDS = ("VIS", "NISP-Y", "NISP-J", "NISP-H")


class DotsConfig(Config):
    n: int = 40
    """Objects."""


class Dots:
    """Images that follow from their numbers; a real survey would read them here."""

    warnings = ()

    def __init__(self, n):
        self.ids, self.identity = np.arange(n), {"name": "dots", "n": n}
        self.catalog = pd.DataFrame({"redshift": np.linspace(0.1, 0.5, n)})
        self.inputs = {
            "euclid": InputInfo(
                kind="images", unit="uJy", bands=BANDS, shape=(32, 32), pixel_scale_arcsec=0.1
            )
        }

    def __len__(self):
        return len(self.ids)

    def select(self, where, columns):
        """Only "object_id < N" is understood, as a survey of its own would understand its own."""
        return Dots(int(where.rpartition("<")[2]))

    def read(self, rows, inputs=None):
        flux = np.stack([np.random.default_rng(i).normal(size=(4, 32, 32)) for i in rows])
        flux[:, :, 16, 16] += 10 + np.asarray(rows)[:, None]
        images = Images(
            flux=flux.astype(np.float32),
            bands=BANDS,
            band_valid=np.ones((len(flux), 4), bool),
            unit="uJy",
            pixel_scale_arcsec=0.1,
        )
        have = np.arange(len(flux))
        return Batch(ids=self.ids[rows], inputs={"euclid": images}, rows={"euclid": have})


def open_dots(source, config, *, cache, progress=None):
    """The survey; nothing is kept in `cache`."""
    return Dots(config.n)
