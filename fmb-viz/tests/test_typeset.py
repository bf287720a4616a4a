import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmb_viz.typeset import font, shorten, unit_text, width_in, wrap

words = st.lists(st.text("abcMW-_/$ 019", min_size=1, max_size=40), max_size=6)


@settings(max_examples=60, deadline=None)
@given(words, st.floats(0.3, 3.0))
def test_wrapped_lines_fit_and_lose_no_character(pieces, limit):
    lines = wrap(pieces, limit, font())
    assert all(width_in(line, font()) <= limit for line in lines)
    assert "".join("".join(lines).split()) == "".join("".join(pieces).split())


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("EUCLID-Q1-60.070113", "-50.335519"),  # the sign belongs to the number
        ("SDSS_J123456.78", "+012345.6"),
        ("a-long-survey_", "field12345678"),
    ],
)
def test_a_long_id_breaks_at_its_own_punctuation(first, second):
    face = font()
    limit = width_in(first + second[:3], face)
    assert wrap([first + second], limit, face) == [first, second]


def test_a_short_text_is_not_shortened():
    assert shorten("lens", 3.0, font()) == "lens"


def test_a_shortened_text_fits_and_says_that_it_was_cut():
    text = shorten("a label as long as a sentence", 1.0, font())
    assert text.endswith("…")
    assert "a label as long as a sentence".startswith(text[:-1])
    assert width_in(text, font()) <= 1.0


@pytest.mark.parametrize(
    ("unit", "printed"),
    [
        ("1e-17 erg / (Angstrom s cm2)", "10⁻¹⁷ erg / (Å s cm²)"),
        ("10**-17 erg s-1 cm-2 AA-1", "10⁻¹⁷ erg s⁻¹ cm⁻² Å⁻¹"),
        ("1e+03 Jy", "10³ Jy"),
        ("count", "count"),
        ("electron / s", "electron / s"),
        ("", ""),
    ],
)
def test_units_are_printed_with_raised_exponents(unit, printed):
    assert unit_text(unit) == printed
