"""What screens call lists, roles and details: each thing said where it is first seen, and once."""


def test_weights_that_no_input_can_feed_are_not_proposed(fmb, home, make_survey):
    """Spectra alone: weights for one band of images are of no use."""
    survey = make_survey(home.parent / "spectra")
    text = survey.read_text()
    images, spectra = text.index("[inputs.euclid]"), text.index("[inputs.desi]")
    survey.write_text(text[:images] + text[spectra:])
    asked = ("run", "--model", "astropt", "--detector", "gaussian", "--data", survey)
    unasked = fmb(*asked)
    assert unasked.exit_code == 2
    assert "choose with --weights astropt=...; tiny, random, a weights folder" in unasked.stderr
    wrong = fmb(*asked, "--weights", "tiny-one-band")
    assert wrong.exit_code == 2
    assert "other weights: tiny, random, see" in wrong.stderr
