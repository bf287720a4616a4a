"""Injecting into real surveys: Euclid pictures, SDSS spectra, and pairs of HST and Keck."""

import os
from pathlib import Path

import numpy as np
import pytest

DATA = os.environ.get("FMB_TEST_DATA", "")
pytestmark = pytest.mark.skipif(
    not DATA, reason="FMB_TEST_DATA does not name the folder of real data"
)

EUCLID = """
name = "euclid-q1"
file = "{folder}/euclid_q1_vis/euclid_q1_vis.h5"

[catalog]
id = "object_id"
ra = "ra"
dec = "dec"
label = "label"

[inputs.euclid]
kind = "images"
flux = "image"
bands = ["VIS"]
unit = "display"
pixel_scale_arcsec = 0.1
"""

SDSS = """
name = "sdss"
file = "{folder}/sdss_spectra/sdss_spectra.h5"

[catalog]
id = "plate_mjd_fiber"
redshift = "z"
label = "class"
columns = ["zwarning"]

[inputs.sdss]
kind = "spectra"
flux = "flux"
ivar = "ivar"
loglam = "loglam"
mask = "and_mask"
unit = "1e-17 erg / (s cm2 Angstrom)"
"""

PAIRS = """
name = "deep2-acs"
file = "{folder}/pairs_deep2_acs/deep2_acs_pairs.h5"

[catalog]
id = "object_id"
columns = ["mag_R", "mag_I", "exptime_s"]
roles = {{ magnitude = "mag_R" }}

[inputs.acs]
kind = "images"
flux = "image"
bands = ["F606W", "F814W"]
unit = "count/s"
pixel_scale_arcsec = 0.03

[inputs.deimos]
kind = "spectra"
flux = "spectrum/optimal/flux"
ivar = "spectrum/optimal/ivar"
wavelength = "spectrum/optimal/wavelength"
unit = "counts"
"""


@pytest.fixture
def inject(fmb, tmp_path, opened):
    """inject(toml, *options): the survey that is written, the rows of its copies, the result."""

    def run(toml: str, *options):
        (tmp_path / "survey.toml").write_text(toml.format(folder=Path(DATA).resolve()))
        result = fmb("inject", tmp_path / "survey.toml", *options, "-o", tmp_path / "out")
        assert result.exit_code == 0, result.stderr
        written = opened(tmp_path / "out")
        return written, np.flatnonzero(written.catalog["injected_from"] != written.ids), result

    return run


def pairs_of(written, copies, name):
    """(host, copy) of what was observed in an input, for each copy."""
    row = {key: k for k, key in enumerate(written.ids.tolist())}
    for k in copies.tolist():
        host = row[written.catalog["injected_from"].iloc[k]]
        yield tuple(written.read(np.array([at]), [name]).inputs[name] for at in (host, k))


def test_euclid_pictures_take_companions_and_trails_within_their_eight_bits(inject):
    scale = ("--host-mag", 20, "--psf", "euclid=0.17", "--where", "label == 'nonmerger'")
    written, copies, _ = inject(
        EUCLID, "--kind", "merger,trail", "-n", 8, "--strength", 1, *scale, "--only-copies"
    )
    assert len(written) == 16
    assert all(key.startswith("EUCLID-Q1-") for key in written.ids)
    assert set(written.catalog["label"]) == {"merger", "trail"}
    flux = written.read(copies).inputs["euclid"].flux
    assert (flux.min(), flux.max()) == (0.0, 255.0)


def test_sdss_galaxies_take_broad_lines_where_their_redshift_puts_them(inject):
    options = ("--kind", "agn,known-burst", "-n", 4, "--strength", 1)
    written, copies, result = inject(SDSS, *options, "--where", "label == 'GALAXY'")
    assert "kept from the host: zwarning" in result.stdout
    labels = written.catalog["label"].to_numpy()[copies]
    redshifts = written.catalog["redshift"].to_numpy()[copies]
    for kind, z, (host, copy) in zip(
        labels, redshifts, pairs_of(written, copies, "sdss"), strict=True
    ):
        good = ~copy.mask[0]
        added = (copy.flux - host.flux)[0]
        if kind == "agn":
            away = np.abs(copy.wavelength_aa - 6564.6 * (1 + z))
            line, beside = (
                np.median(added[good & part]) for part in (away < 15, (away > 250) & (away < 400))
            )
            assert line > beside > 0  # the line over the power law
        else:
            assert (copy.ivar[0][added != 0] < host.ivar[0][added != 0]).all()


def test_pairs_of_hst_and_keck_take_artefacts_and_follow_the_band_that_is_theirs(inject):
    kinds = "trail,dead-columns,noise-burst,sky-residual"
    written, copies, result = inject(PAIRS, "--kind", kinds, "-n", 3, "--strength", 1)
    assert len(copies) == 12
    assert "kept from the host: exptime_s" in result.stdout
    catalog = written.catalog
    hosts = catalog.set_index(written.ids).loc[catalog["injected_from"].iloc[copies]]
    # An artefact in F606W: nobody's R and I are measured there.
    for name in ("mag_R", "mag_I"):
        assert catalog[name].to_numpy()[copies].tolist() == hosts[name].tolist()
    for before, after in pairs_of(written, copies[:3], "acs"):
        assert (after.flux[0, 0] != before.flux[0, 0]).any()
        assert np.array_equal(after.flux[0, 1], before.flux[0, 1], equal_nan=True)
