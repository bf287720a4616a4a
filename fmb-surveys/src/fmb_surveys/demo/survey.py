"""The clean simulated survey: a dataset whose rows are made when they are read."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from fmb import Array, Batch, Columns, DataError, Images, InputInfo, Spectra, did_you_mean
from fmb_surveys.demo.bands import BANDS, EUCLID, LEGACY, Instrument
from fmb_surveys.demo.blemishes import BLEMISHED_SHARE, add_blemish
from fmb_surveys.demo.catalogue import survey_catalog
from fmb_surveys.demo.noise import expose
from fmb_surveys.demo.photometry import PHOTOMETRY, photometry
from fmb_surveys.demo.rendering import Scene, render
from fmb_surveys.demo.selection import magnitudes, select_galaxies
from fmb_surveys.demo.sky import make_cells, make_plan, object_origins
from fmb_surveys.demo.sky_spectrum import WAVELENGTH_AA, noise_curve, residual_shapes
from fmb_surveys.demo.spectra import component_shares, fibre_spectrum
from fmb_surveys.demo.surroundings import draw_blends, draw_knots, draw_neighbours

__all__ = ["GENERATOR_REVISION", "INSTRUMENTS", "SPECTRUM_UNIT", "DemoSurvey"]

GENERATOR_REVISION = 1
"""Raised when any number of the simulation changes; part of the identity."""

INSTRUMENTS = {"euclid": EUCLID, "legacysurvey": LEGACY}
SPECTRUM_UNIT = "1e-17 erg / (s cm2 Angstrom)"


class DemoSurvey:
    """Simulated galaxies with images and spectra of the same light; see docs/demo-survey.md.

    Photometry comes with them, whichever instruments there are.

    Every object comes from (seed, its index) alone: it has the same pixels in any order, in any
    process and in a longer survey.
    """

    warnings: Sequence[str] = ()

    def __init__(
        self,
        n_objects: int,
        seed: int,
        inputs: Sequence[str] = ("euclid", "legacysurvey", "desi"),
    ) -> None:
        """Draw the latent properties of all objects; pixels are made in `read`.

        Raises:
            DataError: an input that the survey does not have.
        """
        unknown = sorted(set(inputs) - {*INSTRUMENTS, "desi"})
        if unknown or not inputs:
            raise DataError(
                f"demo survey: no input {', '.join(unknown)}; it has euclid, legacysurvey, desi"
            )
        self.seed = seed
        self._plan = make_plan(n_objects, seed)
        self._cells = make_cells(seed)
        self._galaxies, self._flux_ujy = select_galaxies(int(self._plan.source.max()) + 1, seed)
        self._shares = component_shares(self._galaxies)
        self.ids = self._plan.ids
        self.catalog = survey_catalog(
            self._plan, self._cells, self._galaxies, self._flux_ujy, self._shares, seed
        )
        self._photometry = photometry(self._plan, self._cells, self._flux_ujy, seed)
        self.inputs: Mapping[str, InputInfo] = {
            name: self._info(name) for name in (*inputs, PHOTOMETRY)
        }
        self.identity: Mapping[str, Any] = {
            "name": "demo",
            "generator": GENERATOR_REVISION,
            "n_objects": n_objects,
            "seed": seed,
            "inputs": list(inputs),
        }

    def __len__(self) -> int:
        return len(self.ids)

    def _info(self, name: str) -> InputInfo:
        if name == "desi":
            return InputInfo(
                kind="spectra",
                unit=SPECTRUM_UNIT,
                shape=(len(WAVELENGTH_AA),),
                wavelength_aa=(float(WAVELENGTH_AA[0]), float(WAVELENGTH_AA[-1])),
                present=self._plan.has_spectrum,
                origin=self._origin(name, self._plan.has_spectrum),
            )
        if name == PHOTOMETRY:
            waves = self._photometry.wavelength_aa
            return InputInfo(
                kind="columns",
                unit=self._photometry.units[0],
                bands=self._photometry.names,
                shape=(len(waves),),
                wavelength_aa=(min(waves), max(waves)),
                present=self._plan.has_image,
                origin=self._origin(name, self._plan.has_image),
            )
        instrument = INSTRUMENTS[name]
        return InputInfo(
            kind="images",
            unit=instrument.unit,
            bands=tuple(band.name for band in instrument.bands),
            shape=(instrument.size_px, instrument.size_px),
            pixel_scale_arcsec=instrument.pixel_scale_arcsec,
            present=self._plan.has_image,
            origin=self._origin(name, self._plan.has_image),
        )

    def _origin(self, name: str, present: Array) -> Array:
        """(n,) uint64: what the pixels of each object follow from; 0 where it has none."""
        numbers = object_origins(np.arange(len(present)), GENERATOR_REVISION, self.seed, name)
        return np.where(present, numbers, np.uint64(0))

    def read(self, rows: Array, inputs: Collection[str] | None = None) -> Batch:
        """The objects at `rows`, in that order, simulated now.

        Raises:
            DataError: `inputs` names one that the survey does not have.
        """
        rows = np.asarray(rows, dtype=np.int64)
        names = list(self.inputs if inputs is None else inputs)
        pixels = any(name != PHOTOMETRY for name in names)
        scenes = {int(row): self._scene(int(row)) for row in rows if pixels}
        made: dict[str, Images | Spectra | Columns] = {}
        present: dict[str, Array] = {}
        for name in names:
            if name not in self.inputs:
                raise DataError(f"no input is called {name!r}{did_you_mean(name, self.inputs)}")
            there = np.asarray(self.inputs[name].present)[rows]
            present[name] = np.flatnonzero(there)
            if name == PHOTOMETRY:
                made[name] = self._photometry.take(rows[there])
                continue
            chosen = [scenes[int(row)] for row in rows[there]]
            if name == "desi":
                made[name] = self._spectra(rows[there], chosen)
            else:
                made[name] = self._images(rows[there], chosen, INSTRUMENTS[name])
        return Batch(ids=self.ids[rows], inputs=made, rows=present)

    def _scene(self, row: int) -> Scene:
        """Repeats of one galaxy share its scene and differ in noise."""
        source = int(self._plan.source[row])
        rng = np.random.default_rng([self.seed, 4, source])
        vis_mag = float(magnitudes(self._flux_ujy[source, :, 0].sum()))
        return Scene(
            galaxies=self._galaxies,
            row=source,
            flux_ujy=self._flux_ujy[source],
            knots=draw_knots(self._galaxies, source, rng),
            blends=draw_blends(vis_mag, rng),
            neighbours=draw_neighbours(rng),
        )

    def _images(self, rows: Array, scenes: list[Scene], instrument: Instrument) -> Images:
        n, bands, size = len(rows), len(instrument.bands), instrument.size_px
        flux = np.empty((n, bands, size, size), dtype=np.float32)
        ivar = np.empty_like(flux)
        mask = np.zeros(flux.shape, dtype=bool)
        psf = np.empty((n, bands), dtype=np.float32)
        for k, (row, scene) in enumerate(zip(rows, scenes, strict=True)):
            psf[k] = self._psf(int(row), instrument)
            self._expose(int(row), scene, instrument, flux[k], ivar[k], mask[k])
        return Images(
            flux=flux,
            bands=tuple(band.name for band in instrument.bands),
            band_valid=np.ones((n, bands), dtype=bool),
            unit=instrument.unit,
            pixel_scale_arcsec=instrument.pixel_scale_arcsec,
            ivar=ivar,
            mask=mask,
            psf_fwhm_arcsec=psf,
        )

    def _psf(self, row: int, instrument: Instrument) -> Array:
        factor = float(self._cells.psf_factor[self._plan.cell[row]])
        return np.array([band.psf_fwhm_arcsec * factor for band in instrument.bands])

    def _expose(
        self, row: int, scene: Scene, instrument: Instrument, flux: Array, ivar: Array, mask: Array
    ) -> None:
        """Fill the arrays of one object, (bands, size, size) each."""
        cell = self._plan.cell[row]
        rng = np.random.default_rng([self.seed, 5, BANDS.index(instrument.bands[0]), row])
        depth = 10 ** (-0.4 * float(self._cells.depth_mag[cell]))
        sigma = np.array([b.noise_ujy * depth for b in instrument.bands], dtype=np.float32)
        sigma = (sigma / np.float32(instrument.ujy_per_unit))[:, None, None]
        per_electron = np.array([1 / b.electrons_per_ujy for b in instrument.bands])
        per_electron = (per_electron / instrument.ujy_per_unit).astype(np.float32)[:, None, None]
        model = render(scene, instrument, self._psf(row, instrument))
        tilt = np.linspace(-0.5, 0.5, instrument.size_px, dtype=np.float32)
        model += sigma * np.float32(self._cells.gradient[cell]) * tilt
        expose(model, sigma, per_electron, rng, flux, ivar)
        if instrument is EUCLID and rng.random() < BLEMISHED_SHARE:
            add_blemish(flux[0], ivar[0], mask[0], float(sigma[0, 0, 0]), rng)

    def _spectra(self, rows: Array, scenes: list[Scene]) -> Spectra:
        shape = (len(rows), len(WAVELENGTH_AA))
        flux = np.empty(shape, dtype=np.float32)
        ivar = np.empty(shape, dtype=np.float32)
        mask = np.zeros(shape, dtype=bool)
        curve, per_flux = noise_curve()
        for k, (row, scene) in enumerate(zip(rows, scenes, strict=True)):
            rng = np.random.default_rng([self.seed, 6, int(row)])
            sigma = curve * np.float32(self._cells.spectrum_noise[self._plan.cell[row]])
            model = fibre_spectrum(scene, self._shares[scene.row])
            left = rng.normal(0.0, (1.2, 1.2)).astype(np.float32) @ residual_shapes()
            expose(model + left, sigma, per_flux, rng, flux[k], ivar[k])
            hits = rng.integers(0, shape[1] - 3, rng.poisson(3.0))
            for hit in hits:  # cosmic rays that the pipeline found
                flux[k, hit : hit + 3] += sigma[hit : hit + 3] * rng.normal(0.0, 20.0, 3)
                ivar[k, hit : hit + 3], mask[k, hit : hit + 3] = 0.0, True
        return Spectra(
            flux=flux, ivar=ivar, mask=mask, wavelength_aa=WAVELENGTH_AA, unit=SPECTRUM_UNIT
        )
