"""Objects whose file is broken: found before anything is read, left out, and told one by one."""

from collections.abc import Sequence

import numpy as np

from fmb import Array, DataError
from fmb_surveys.files.stores.band_arrays import BandArrays
from fmb_surveys.files.stores.object_files import ObjectFiles
from fmb_surveys.files.stores.store import Store
from fmb_surveys.files.survey_toml import A_BAND_EACH, AnySource

__all__ = ["without_broken"]

_ARRAYS = (*A_BAND_EACH, "psf_fwhm", "band_valid", "wavelength", "loglam", "lsf")
"""Keys of an input that name arrays."""


def without_broken(
    name: str, source: AnySource, store: Store, rows: Array, ids: Array
) -> tuple[Array, list[str]]:
    """The rows without those of objects whose file cannot be read; every file is read once.

    Args:
        name: of the input.
        source: what the survey.toml says of it.
        store: where it is; only files of one object each are looked at.
        rows: (n,) int64, the stored row of each object, -1 = none.
        ids: (n,).

    Returns:
        rows with -1 for the broken, and a line that counts them, then one of each: its id, its
        file, and what is wrong with it.

    Raises:
        DataError: not one file can be read.
    """
    files = store.store if isinstance(store, BandArrays) else store
    if not isinstance(files, ObjectFiles):
        return rows, []
    reasons = files.broken(_names(source))
    if len(reasons) == len(files.files):
        raise DataError(f"{name}: every file is broken, the first by this: {reasons[0]}")
    broken = np.isin(rows, list(reasons))
    if not broken.any():
        return rows, []
    n = int(broken.sum())
    lines = [f"{name}: {n} object{'' if n == 1 else 's'} left out, whose files are broken"]
    lines += [
        f"{name}: {ids[at]} is left out: {reasons[int(rows[at])]}" for at in np.flatnonzero(broken)
    ]
    return np.where(broken, -1, rows), lines


def _names(source: AnySource) -> Sequence[str]:
    """The arrays of an input, each once."""
    named: list[str] = []
    for key in _ARRAYS:
        arrays = getattr(source, key, None) or ()
        named.extend([arrays] if isinstance(arrays, str) else arrays)
    return list(dict.fromkeys(named))
