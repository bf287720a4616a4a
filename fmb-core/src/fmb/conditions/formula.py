"""Formulas: columns computed from others in the language of conditions, with their units."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb.conditions.where import Where
from fmb.contract.arrays import Array

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Formula"]


class Formula(Where):
    """A parsed formula, such as "mag_g - mag_r"; a condition is one whose values are yes or no."""

    example = "mag_g - mag_r"

    def column(self, catalog: "pd.DataFrame", ids: Array) -> Any:
        """The values of the formula.

        Args:
            catalog: n rows.
            ids: (n,), known as `object_id`.

        Returns:
            (n,) of numpy or pandas: bool; int64 or uint64, with gaps Int64 or UInt64; or float64,
            NaN where a column that it names has no value or the result none.

        Raises:
            SelectionError: an unknown column, text or times, no column at all, or whole numbers
                beyond 64 bits.
        """
        # Imported here: a formula is also parsed where nobody has loaded pandas.
        import pandas as pd

        from fmb.conditions.rows import Rows

        rows = Rows(f"{self._option} {self._text!r}", catalog, ids, self._columns, self._show)
        value = rows.result(self._body)
        if value.kind in ("nothing", "fraction"):
            return np.where(value.known, value.values, np.nan).astype(np.float64)
        gaps = np.broadcast_to(~np.asarray(value.known, dtype=bool), len(ids)).copy()
        if value.truth:
            yes = np.asarray(value.values, dtype=bool) & ~gaps
            return pd.arrays.BooleanArray(yes, gaps) if gaps.any() else yes
        whole = np.where(gaps, 0, value.values)
        if whole.dtype == object:
            if whole.min() < 0 or whole.max() > np.iinfo(np.uint64).max:
                raise rows.refuse(self._body, "gives whole numbers beyond 64 bits; write + 0.0")
            whole = whole.astype(np.uint64)
        return pd.arrays.IntegerArray(whole, gaps) if gaps.any() else whole

    def unit(self, units: Mapping[str, str]) -> str:
        """The unit that follows from those of the columns, "" where none does.

        Args:
            units: column -> unit, as far as they are known.

        Raises:
            SelectionError: units are added, subtracted or compared that are not the same.
        """
        # Imported here: most catalogues derive nothing, and do without astropy.
        from fmb.conditions.formula_units import UnitOf

        return UnitOf(f"{self._option} {self._text!r}", units, self._columns, self._show).text(
            self._body
        )
