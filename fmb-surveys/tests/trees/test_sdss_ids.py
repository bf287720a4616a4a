"""Ids of SDSS spectra, however the files store them: exact, or one line that says why not."""

from sdss_files import FIRST_ID, write_spectrum


def test_ids_that_are_text_in_some_files_and_integers_in_others_are_exact(tmp_path, opened):
    for fiber, kind in ((1, "K"), (2, "22A"), (3, "K")):
        write_spectrum(tmp_path / "s", fiber, kind)
    survey = opened(tmp_path / "s")
    assert survey.ids.tolist() == [FIRST_ID + fiber for fiber in (1, 2, 3)]
    assert survey.catalog["specobjid"].tolist() == survey.ids.tolist()


def test_ids_that_are_text_in_some_files_and_floats_in_others_are_one_line(tmp_path, fmb):
    for fiber, kind in ((1, "22A"), (2, "D")):
        write_spectrum(tmp_path / "s", fiber, kind)
    result = fmb("data", "show", str(tmp_path / "s"))
    assert result.exit_code == 2
    told = "0002.fits: SPECOBJID: ids are floats, which lose digits"
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


def test_objects_whose_ids_are_floats_may_be_called_otherwise(tmp_path, opened):
    for fiber in (1, 2):
        write_spectrum(tmp_path / "s", fiber, "D")
    survey = opened(tmp_path / "s", ids="plate-mjd-fiberid")
    assert survey.ids.tolist() == ["266-51630-1", "266-51630-2"]
