"""Which kinds fit which survey: images alone, spectra alone, pictures without a flux scale."""

import json

import numpy as np
import pytest

from fmb_surveys.demo.sky_spectrum import noise_curve
from fmb_surveys.demo.survey import DemoSurvey
from fmb_surveys.planting import KINDS
from fmb_surveys.planting.gain import spectrum_gains


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


def test_all_kinds_are_listed_with_their_view_and_needs_within_the_screen(fmb):
    lines = done(fmb("inject", "--kinds")).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[1:] if line[0] != " "] == list(KINDS)
    rows = {row["kind"]: row for row in json.loads(fmb("inject", "--kinds", "--json").stdout)}
    assert rows["lens"]["seen by"] == "image"
    assert rows["noise-burst"]["needs"] == "spectra, spectrum ivar"
    assert rows["lens"]["strength 0 to 1"] == "24.5 to 22"


def listed(fmb, survey, *options):
    return json.loads(done(fmb("inject", survey, "--kinds", "--json", *options)).stdout)


def test_kinds_are_listed_for_a_survey_with_what_it_lacks(fmb, pictures, spectra_alone):
    def fits(survey, *options):
        return {row["kind"] for row in listed(fmb, survey, *options) if row["fits"] == "yes"}

    assert fits(pictures) == {"trail", "cosmic-rays", "dead-columns"}
    told = {r["kind"]: r["fits"] for r in listed(fmb, pictures)}
    assert told["lens"] == "with --host-mag MAG --psf cam=FWHM"
    assert told["agn"].startswith("no: the survey has no spectra")
    told = {r["kind"]: r["fits"] for r in listed(fmb, pictures, "--psf", "cam=0.2")}
    assert told["merger"] == "with --host-mag MAG"
    wide = fits(pictures, "--host-mag", 20, "--psf", "cam=0.2")
    assert wide == {"trail", "cosmic-rays", "dead-columns", "lens", "merger"}
    bursts = {"noise-burst", "known-burst", "arm-step", "sky-residual"}
    assert fits(spectra_alone) == {*bursts, "agn", "second-redshift", "wrong-redshift"}


def test_images_without_spectra_take_lenses_and_mergers(fmb, images_alone, tmp_path, opened):
    options = ("--kind", "lens,merger", "-n", 2, "--strength", "1", "-o", "out")
    done(fmb("inject", images_alone, *options))
    written = opened(tmp_path / "out")
    assert len(written) > 32
    row = {key: k for k, key in enumerate(written.ids.tolist())}
    for k in range(30, len(written)):
        host, copy = (
            written.read(np.array([at])).inputs["euclid"].flux[0].sum()
            for at in (row[written.catalog["injected_from"].iloc[k]], k)
        )
        assert copy > host


def test_spectra_without_images_take_an_active_nucleus(fmb, spectra_alone, tmp_path, opened):
    done(fmb("inject", spectra_alone, "--kind", "agn", "-n", 3, "--strength", "1", "-o", "out"))
    written = opened(tmp_path / "out")
    row = {key: k for k, key in enumerate(written.ids.tolist())}
    for k in range(50, 53):
        hosts = written.read(np.array([row[written.catalog["injected_from"].iloc[k]]]))
        host, copy = hosts.inputs["desi"], written.read(np.array([k])).inputs["desi"]
        centre = 6564.6 * (1 + written.catalog["redshift"].iloc[k])
        near = (np.abs(copy.wavelength_aa - centre) < 20) & ~copy.mask[0]
        assert np.median((copy.flux - host.flux)[0, near]) > 0
        # The photons of what was planted are in the noise, and ivar tells.
        assert (copy.ivar <= host.ivar).all()
        assert np.median(copy.ivar[0, near] / host.ivar[0, near]) < 0.99


def test_pictures_take_light_relative_to_their_host_within_black_and_white(
    fmb, pictures, tmp_path, opened
):
    scale = ("--host-mag", 18, "--psf", "cam=0.2")
    options = ("--kind", "merger", "-n", 6, "--strength", "1", *scale)
    done(fmb("inject", pictures, *options, "-o", "out"))
    written = opened(tmp_path / "out")
    row = {key: k for k, key in enumerate(written.ids.tolist())}
    y, x = np.mgrid[:64, :64] - 31.5
    inside = np.hypot(x, y) < 25
    for k in range(20, 26):
        host = written.read(np.array([row[written.catalog["injected_from"].iloc[k]]]))
        before = host.inputs["cam"].flux[0, 0].astype(np.float64)
        after = written.read(np.array([k])).inputs["cam"].flux[0, 0].astype(np.float64)
        assert after.min() >= before.min()
        assert after.max() <= before.max()
        added = (after - before)[inside].sum() / (before - 40.0)[inside].sum()
        # A companion 0.2 mag fainter (0.83) and tails, less what white cuts off.
        assert 0.3 < added < 1.3


def test_the_noise_that_light_brings_is_found_from_the_survey_itself():
    survey = DemoSurvey(300, seed=104, inputs=("desi",))
    found, true = spectrum_gains(survey)["desi"], noise_curve()[1]
    parts = np.array_split(np.arange(len(true)), 8)
    ratios = [np.median(found[part]) / np.median(true[part]) for part in parts]
    # 25 %: exposures of the simulated cells differ by more than the photons of a galaxy.
    assert ratios == pytest.approx(np.ones(8), abs=0.25)
