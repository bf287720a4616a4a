"""Rows of a batch as targets, and targets back into batches."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from fmb import Array, Batch, Columns, Images, Spectra
from fmb_surveys.planting.colours import host_fluxes_ujy, reference_band
from fmb_surveys.planting.needs import Offer
from fmb_surveys.planting.target import Cutouts, Spectrum, Target

__all__ = ["gather", "put_back", "target_of", "usable", "within_range"]

_GOOD_SHARE = 0.5
_IMAGE_ARRAYS = ("flux", "ivar", "mask")
_SPECTRUM_ARRAYS = ("flux", "ivar", "mask", "wavelength_aa")


def usable(batch: Batch) -> Array:
    """(n,) bool: objects with all images and spectra, half of whose pixels are good in each."""
    good = np.ones(len(batch), dtype=bool)
    for name, data in batch.inputs.items():
        if isinstance(data, Columns):
            continue
        have = np.zeros(len(batch), dtype=bool)
        have[batch.rows[name]] = [_is_good(data, k) for k in range(len(batch.rows[name]))]
        good &= have
    return good


def _is_good(data: object, row: int) -> bool:
    if isinstance(data, Images):
        seen = np.isfinite(data.flux[row]) & (data.flux[row] != 0)
        if data.mask is not None:
            seen &= ~data.mask[row]
        return bool(seen.mean(axis=(1, 2)).min() > _GOOD_SHARE)
    if isinstance(data, Spectra):
        seen = ~data.mask[row] & np.isfinite(data.flux[row])
        if data.ivar is not None:
            seen &= data.ivar[row] > 0
        return bool(seen.mean() > _GOOD_SHARE)
    return True


def gather(batch: Batch, rows: Array, ids: Array) -> Batch:
    """Copies of the objects at `rows`, which may repeat, in that order and under new ids."""
    inputs: dict[str, Images | Spectra | Columns] = {}
    kept: dict[str, Array] = {}
    for name, have in batch.rows.items():
        at = np.full(len(batch), -1)
        at[have] = np.arange(len(have))
        data = batch.inputs[name]
        inputs[name] = _copy(data, at[rows][at[rows] >= 0])
        kept[name] = np.flatnonzero(at[rows] >= 0)
    return Batch(ids=ids, inputs=inputs, rows=kept)


def _copy(data: Images | Spectra | Columns, rows: Array) -> Images | Spectra | Columns:
    if not isinstance(data, Spectra) or data.wavelength_aa.ndim == 1:
        return data.take(rows)
    # Grid and pixels at once: their shapes are checked against each other.
    return replace(
        data,
        flux=data.flux[rows],
        ivar=None if data.ivar is None else data.ivar[rows],
        mask=data.mask[rows],
        lsf_aa=None if data.lsf_aa is None else data.lsf_aa[rows],
        wavelength_aa=data.wavelength_aa[rows],
    )


def target_of(
    batch: Batch,
    row: int,
    offer: Offer,
    gains: Mapping[str, Array],
    redshift: float,
    donor: Target | None,
) -> Target:
    """Object `row` of a batch as views of its arrays; it must have every input."""
    images: dict[str, Cutouts] = {}
    spectra: dict[str, Spectrum] = {}
    for name, data in batch.inputs.items():
        k = int(np.searchsorted(batch.rows[name], row))
        if isinstance(data, Images):
            images[name] = _cutouts_of(name, data, k, offer)
        elif isinstance(data, Spectra):
            grid = data.wavelength_aa
            spectra[name] = Spectrum(
                name=name,
                flux=data.flux[k],
                ivar=None if data.ivar is None else data.ivar[k],
                mask=data.mask[k],
                wavelength_aa=grid if grid.ndim == 1 else grid[k],
                flambda_per_unit=offer.flambda_per_unit[name],
                flux_of_electron=gains.get(name, 0.0),
            )
    return Target(images=images, spectra=spectra, redshift=redshift, donor=donor)


def _cutouts_of(name: str, data: Images, k: int, offer: Offer) -> Cutouts:
    """Row `k` of some images as views of their arrays, with a flux scale where one is given."""
    scaled = offer.ujy_per_unit[name] is not None
    told = data.psf_fwhm_arcsec
    cutouts = Cutouts(
        name=name,
        bands=data.bands,
        flux=data.flux[k],
        ivar=None if data.ivar is None else data.ivar[k],
        mask=None if data.mask is None else data.mask[k],
        pixel_scale_arcsec=data.pixel_scale_arcsec,
        psf_fwhm_arcsec=offer.psf_fwhm_arcsec[name] if told is None else told[k],
        ujy_per_unit=offer.ujy_per_unit[name],
        wavelength_aa=offer.wavelength_aa[name],
        pedestal=None if scaled else _edge_levels(data.flux[k]),
    )
    if scaled or offer.host_magnitude is None:
        return cutouts
    return _as_bright_as(cutouts, offer.host_magnitude)


def _edge_levels(flux: Array) -> Array:
    """(bands,) median of the outermost pixels of a picture (bands, height, width)."""
    sides = (flux[:, 0], flux[:, -1], flux[:, 1:-1, 0], flux[:, 1:-1, -1])
    edge = np.concatenate(sides, axis=1).astype(np.float64)
    known = np.isfinite(edge)
    return np.array([np.median(e[k]) if k.any() else 0.0 for e, k in zip(edge, known, strict=True)])


def _as_bright_as(cutouts: Cutouts, magnitude: float) -> Cutouts:
    """A picture with the flux scale by which its middle has an AB magnitude near 7000 Angstrom."""
    relative = replace(cutouts, ujy_per_unit=1.0)
    light = float(host_fluxes_ujy(relative)[reference_band(relative)])
    return replace(cutouts, ujy_per_unit=10 ** (0.4 * (23.9 - magnitude)) / light)


def within_range(changed: Batch, row: int, clean: Batch, of: int) -> None:
    """Cut what was planted on pictures to the range of the host's, which white and black end."""
    for name, data in changed.inputs.items():
        host = clean.inputs[name]
        if not isinstance(data, Images) or not isinstance(host, Images) or data.unit != "display":
            continue
        k = int(np.searchsorted(changed.rows[name], row))
        before = host.flux[int(np.searchsorted(clean.rows[name], of))]
        low, high = np.nanmin(before, axis=(1, 2)), np.nanmax(before, axis=(1, 2))
        data.flux[k] = np.clip(data.flux[k], low[:, None, None], high[:, None, None])


def put_back(changed: Batch, row: int, batch: Batch, into: int) -> None:
    """Copy object `row` of `changed` over object `into` of `batch`, in the inputs `batch` has."""
    for name, data in batch.inputs.items():
        if isinstance(data, Columns):
            continue  # nothing is planted in it
        source = changed.inputs[name]
        k = int(np.searchsorted(changed.rows[name], row))
        j = int(np.searchsorted(batch.rows[name], into))
        names = _IMAGE_ARRAYS if isinstance(data, Images) else _SPECTRUM_ARRAYS
        for array in names:
            values = getattr(data, array)
            if values is not None and not (array == "wavelength_aa" and values.ndim == 1):
                values[j] = getattr(source, array)[k]
