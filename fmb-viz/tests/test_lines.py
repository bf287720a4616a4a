import pytest

from fmb_viz.lines import LINES, observed_lines

# NIST Atomic Spectra Database, wavelengths in air, Angstrom.
NIST_AIR = {
    "[O II]": (3726.03, 3728.82),
    "[Ne III]": (3868.76,),
    "Ca K, H": (3933.66, 3968.47),
    "H δ": (4101.73,),
    "H γ": (4340.47,),
    "H β": (4861.33,),
    "[O III]": (4958.91, 5006.84),
    "Mg b": (5167.32, 5172.68, 5183.60),
    "Na D": (5889.95, 5895.92),
    "H α": (6562.80,),
    "[N II]": (6548.05, 6583.45),
    "[S II]": (6716.44, 6730.82),
}


def in_air(vacuum_aa: float) -> float:
    """Morton 2000 (ApJS 130, 403), eq. 8."""
    s2 = (1e4 / vacuum_aa) ** 2
    n = 1 + 8.34254e-5 + 2.406147e-2 / (130 - s2) + 1.5998e-4 / (38.9 - s2)
    return vacuum_aa / n


@pytest.mark.parametrize("name", NIST_AIR)
def test_rest_wavelengths_are_the_vacuum_values_of_the_laboratory_ones(name):
    line = next(line for line in LINES if line.name == name)
    # 0.1 A: Balmer lines are blends whose centre depends on the weights of their components.
    assert [in_air(aa) for aa in line.rest_aa] == pytest.approx(NIST_AIR[name], abs=0.1)


def test_lines_are_listed_in_the_order_of_wavelength():
    middles = [sum(line.rest_aa) / len(line.rest_aa) for line in LINES]
    assert middles == sorted(middles)


def test_a_line_is_observed_at_its_rest_wavelength_times_one_plus_z():
    found = {line.name: aa for line, aa in observed_lines(0.5, 3000.0, 12000.0)}
    assert found["H β"] == pytest.approx((4862.683 * 1.5,))
    assert found["[O III]"] == pytest.approx((4960.295 * 1.5, 5008.239 * 1.5))


def test_only_members_inside_the_range_are_marked():
    found = {line.name: aa for line, aa in observed_lines(0.0, 5000.0, 5100.0)}
    assert found == {"[O III]": (5008.239,)}
