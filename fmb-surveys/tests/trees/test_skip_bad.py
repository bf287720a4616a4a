"""`--skip-bad` for folders of one file an object: the broken are told, the rest is right."""

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits
from sdss_files import FIRST_ID, write_spectrum

from fmb import ConfigError
from fmb_surveys.trees.deep2 import Deep2Config, open_deep2


def cut(path):
    path.write_bytes(path.read_bytes()[:3000])
    return path


def write_cutout(folder, name, level):
    header = {"FILTER": name[-1], "BUNIT": "nanomaggy", "CTYPE1": "RA---TAN"}
    header |= {"CTYPE2": "DEC--TAN", "CRVAL1": 10.0, "CRVAL2": 0.0, "CRPIX1": 2, "CRPIX2": 2}
    header |= {"CDELT1": -0.25 / 3600, "CDELT2": 0.25 / 3600}
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.fits"
    fits.PrimaryHDU(np.full((8, 16), level, dtype="f4"), fits.Header(header)).writeto(path)
    return path


@pytest.mark.parametrize("odd", [1, 2, 3])
def test_a_broken_spectrum_of_sdss_is_listed_and_the_others_are_read(odd, tmp_path, opened):
    paths = [write_spectrum(tmp_path / "s", fiber) for fiber in (1, 2, 3)]
    cut(paths[odd - 1])
    survey = opened(tmp_path / "s", skip_bad=True)
    others = [fiber for fiber in (1, 2, 3) if fiber != odd]
    assert survey.ids.tolist() == [FIRST_ID + fiber for fiber in others]
    assert survey.read(np.arange(2)).inputs["sdss"].flux[:, 0].tolist() == others
    counted, listed = survey.warnings[:2]
    assert counted.startswith("1 file left out as broken")
    assert listed == f"left out: {paths[odd - 1]}: the FITS file is cut short; copy it again"


def test_without_it_the_broken_spectrum_is_one_line(tmp_path, fmb):
    paths = [write_spectrum(tmp_path / "s", fiber) for fiber in (1, 2)]
    cut(paths[0])
    result = fmb("data", "validate", str(tmp_path / "s"))
    assert result.exit_code == 2
    assert result.stderr == f"fmb: {paths[0]}: the FITS file is cut short; copy it again\n"
    skipped = fmb("data", "validate", "--skip-bad", str(tmp_path / "s"))
    assert "1 file left out as broken" in skipped.stdout


def test_a_folder_of_broken_spectra_only_is_refused(tmp_path, fmb):
    cut(write_spectrum(tmp_path / "s", 1))
    result = fmb("data", "validate", "--skip-bad", str(tmp_path / "s"))
    assert result.exit_code == 2
    assert "every file is broken, the first by this" in result.stderr


def test_a_cutout_of_one_band_that_is_broken_is_a_band_that_its_object_lacks(tmp_path, opened):
    for name, level in (("7_g", 1), ("7_r", 2), ("8_g", 3), ("8_r", 4), ("9_g", 5), ("9_r", 6)):
        path = write_cutout(tmp_path / "c", name, level)
        if name in ("7_g", "9_g", "9_r"):
            cut(path)
    survey = opened(tmp_path / "c", skip_bad=True)
    read = survey.read(np.arange(2)).inputs["cutouts"]
    assert survey.ids.tolist() == [7, 8]
    assert read.band_valid.tolist() == [[False, True], [True, True]]
    assert read.flux[:, 1, 0, 0].tolist() == [2, 4]
    assert survey.warnings[0].startswith("3 files left out as broken")
    assert sum(line.startswith("left out: ") for line in survey.warnings) == 3


def test_a_broken_cutout_of_deep2_is_listed_and_its_object_keeps_the_other(tmp_path):
    for name, level in (("7.acs.v_g", 1), ("7.acs.i_r", 2), ("8.acs.v_g", 3), ("9.acs.v_g", 5)):
        path = write_cutout(tmp_path / "d", name, level)
        if level in (1, 5):
            cut(path)
    config = Deep2Config(skip_bad=True)
    survey = open_deep2(str(tmp_path / "d"), config, cache=tmp_path / "cache")
    read = survey.read(np.arange(2)).inputs["acs"]
    assert survey.ids.tolist() == [7, 8]
    assert read.bands == ("F606W", "F814W")
    assert read.band_valid.tolist() == [[False, True], [True, False]]
    assert (read.flux[0, 1, 0, 0], read.flux[1, 0, 0, 0]) == (2, 3)
    assert survey.warnings[0].startswith("2 files left out as broken")


def test_rows_of_an_arrow_file_have_no_files_of_their_own_to_skip(tmp_path, opened):
    spectra = [{"flux": [1.0, 2.0], "lambda": [4000.0, 4100.0]}] * 2
    table = pa.table({"object_id": [1, 2], "spectrum": spectra})
    with (
        pa.OSFile(str(tmp_path / "t.arrow"), "wb") as file,
        pa.ipc.new_file(file, table.schema) as writer,
    ):
        writer.write_table(table)
    said = {"spectrum": {"unit": "counts"}}
    assert len(opened(tmp_path / "t.arrow", inputs=said)) == 2
    with pytest.raises(ConfigError, match="no object has a file of its own, so none can be skip"):
        opened(tmp_path / "t.arrow", inputs=said, skip_bad=True)
