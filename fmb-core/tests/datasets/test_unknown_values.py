"""Which values of a role look as if they stood for "unknown"."""

import numpy as np
import pandas as pd
import pytest

from fmb.datasets.unknown_values import stand_ins, unknown_lines

RNG = np.random.default_rng(3)
MAGNITUDES = RNG.normal(20, 1, 500)
REDSHIFTS = RNG.uniform(0, 1, 500)


@pytest.mark.parametrize(
    ("values", "more", "found"),
    [
        (MAGNITUDES, [-9999] * 20, [(-9999, 20)]),
        (MAGNITUDES, [99.0] * 2, [(99, 2)]),
        (MAGNITUDES, [99.0] * 3 + [-99.0] * 2 + [-999.0] * 4, [(-999, 4), (-99, 2), (99, 3)]),
        (MAGNITUDES, [-9999.0] * 2000, [(-9999, 2000)]),  # most objects
        (MAGNITUDES, np.float32([-99.99] * 2).tolist(), [(float(np.float32(-99.99)), 2)]),
        (MAGNITUDES, [0.0] * 2, [(0, 2)]),
        (MAGNITUDES, [1e300], [(1e300, 1)]),
        (REDSHIFTS, [-1.0] * 5, [(-1, 5)]),
        (np.full(500, 25.0), [-9999] * 2, [(-9999, 2)]),
        (RNG.normal(size=500) * 100, [-(2.0**15)] * 2, [(-(2**15), 2)]),
        (MAGNITUDES, [], []),
        (MAGNITUDES, [12.0, 12.0], []),  # bright, not unknown
        (MAGNITUDES, [-9999.0], []),  # not repeated: nobody knows
        (RNG.lognormal(30, 3, 500), [], []),  # all are huge
        (
            MAGNITUDES,
            [1e20, 1e21, 1e22, 1e23, 1e24, 1e25],
            [(1e25, 1), (1e24, 1), (1e23, 1), (1e22, 1), (1e21, 1)],
        ),
        (RNG.lognormal(3, 1, 500), [99.0] * 9, []),  # among the others
        (REDSHIFTS - 0.5, [-1.0] * 5, []),
        (REDSHIFTS, [0.0] * 50, []),
        (np.full(500, np.nan), [], []),
        (np.full(500, 99.0), [], []),  # nothing else to stand out of
    ],
)
def test_what_stands_for_unknown_is_far_out_and_written_so(values, more, found):
    assert stand_ins(np.append(values, more)) == found


def test_a_line_names_role_column_value_and_count():
    catalog = pd.DataFrame({"mag_r": [*MAGNITUDES, 99, 99], "snr": [*MAGNITUDES, np.inf, -np.inf]})
    catalog.attrs["roles"] = {"magnitude": "mag_r"}
    magnitude, snr = unknown_lines(catalog, ["magnitude", "snr", "size"])
    assert magnitude.startswith("magnitude (mag_r) is 99 for 2 objects, far from all others")
    assert snr == "snr is infinite for 2 objects, which counts as unknown"
