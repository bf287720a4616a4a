"""The surveys AION was trained on: bands, units, pixel scales; standard library and fmb only."""

from fmb import Accepts

__all__ = [
    "ACCEPTS",
    "DES_BANDS",
    "EUCLID",
    "EUCLID_BANDS",
    "HSC_BANDS",
    "HSC_UNIT",
    "SDSS_INSTRUMENTS",
    "SIZE_PX",
]

HSC_BANDS = ("HSC-G", "HSC-R", "HSC-I", "HSC-Z", "HSC-Y")
DES_BANDS = ("DES-G", "DES-R", "DES-I", "DES-Z")
EUCLID_BANDS = ("VIS", "NISP-Y", "NISP-J", "NISP-H")
SIZE_PX = 96
"""Side of the central square that is used."""
HSC_UNIT = f"{10 ** ((22.5 - 27.0) / 2.5)!r} nmgy"
"""Flux of a source of magnitude 27, in nanomaggies (magnitude 22.5): 10**-1.8."""
SDSS_INSTRUMENTS = ("sdss", "boss", "eboss")

_ADAPTER = (
    "AION takes HSC or DES (Legacy Survey) bands; other bands need an adapter in the weights, which"
    " `fmb retrain aion` makes"
)

ACCEPTS = (
    # Pixel scales of training: 0.168 and 0.262 arcsec, with 5 % for resampled cutouts.
    Accepts(
        slot="image",
        kind="images",
        bands=HSC_BANDS,
        subset=True,
        other_bands=_ADAPTER,
        units=("nmgy", "Jy"),
        pixel_scale_arcsec=(0.160, 0.176),
        min_size_px=SIZE_PX,
        calibrated=True,
    ),
    Accepts(
        slot="image",
        kind="images",
        bands=DES_BANDS,
        subset=True,
        other_bands=_ADAPTER,
        units=("nmgy", "Jy"),
        pixel_scale_arcsec=(0.249, 0.275),
        min_size_px=SIZE_PX,
        calibrated=True,
    ),
    Accepts(
        slot="spectrum",
        kind="spectra",
        units=("1e-17 erg / (s cm2 Angstrom)",),
        instruments=("desi", *SDSS_INSTRUMENTS),
        wavelength_aa=(3500.0, 10462.4),
        calibrated=True,
    ),
)
"""What the published weights take."""

EUCLID = Accepts(
    slot="image",
    kind="images",
    bands=EUCLID_BANDS,
    units=("uJy", "nmgy"),
    # 0.1 arcsec, with 5 % for resampled cutouts.
    pixel_scale_arcsec=(0.095, 0.105),
    calibrated=True,
)
"""What an adapter is trained on; weights that hold one accept it too."""
