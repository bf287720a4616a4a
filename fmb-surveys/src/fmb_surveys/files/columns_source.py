"""`[inputs.NAME]` with kind = "columns": photometry, an SED, any numbers a model may read."""

from typing import Literal

from pydantic import model_validator

from fmb import Config
from fmb_surveys.files.units import Unit

__all__ = ["ColumnsSource"]


class ColumnsSource(Config):
    """Columns of the catalogue, or arrays of a file whose first axis is the objects."""

    kind: Literal["columns"]
    columns: tuple[str, ...] = ()
    """Of the catalogue, joined and derived ones too; of `file` where that is given."""
    values: str | None = None
    """Instead of `columns`: one array (n, columns) of a file."""
    errors: str | tuple[str, ...] = ()
    """Standard deviations: as many columns, or one array beside `values`."""
    names: tuple[str, ...] = ()
    """What the columns are called; left out, as in the catalogue or file."""
    units: Unit | tuple[Unit, ...] | None = None
    """Of all, or of each; left out, what the catalogue or file says."""
    wavelength_aa: tuple[float, ...] = ()
    """Of the band of each column, where they are fluxes in bands."""
    missing: float | None = None
    """Stored value that means "no value"."""
    file: str = ""
    """Of the arrays; "" = the survey's `file`, or for `columns` the catalogue."""
    format: str = ""
    """What `file` is; "" = by its ending."""
    id: str | None = None
    """Array of ids in `file`; needed when that is not the catalogue's file."""
    same_order: bool = False
    """True when the rows of another file are those of the catalogue."""
    present: str | None = None
    """Array of booleans: which rows of `file` were observed."""

    @property
    def files(self) -> str:
        """Never: one file holds the columns of all objects."""
        return ""

    @property
    def of_catalog(self) -> bool:
        """True where they are columns of the catalogue."""
        return self.values is None and not self.file

    @property
    def flux(self) -> str:
        """The array whose first axis tells how many rows there are."""
        return self.values or self.columns[0]

    @model_validator(mode="after")
    def _check(self) -> "ColumnsSource":
        if bool(self.columns) == (self.values is not None):
            raise ValueError("give either columns or values")
        if self.values is not None and not self.names:
            raise ValueError("name the columns of values with names")
        if isinstance(self.errors, str) != (self.values is not None) and self.errors:
            raise ValueError("errors is one array beside values, a list beside columns")
        if self.of_catalog and (self.id or self.same_order or self.present or self.format):
            raise ValueError("format, id, same_order and present are of a file; name it")
        n = len(self.names or self.columns)
        for key in ("columns", "errors", "units", "wavelength_aa"):
            given = getattr(self, key)
            if given and not isinstance(given, str) and len(given) != n:
                raise ValueError(f"{key} has {len(given)} entries for {n} columns")
        if any(not wave > 0 for wave in self.wavelength_aa):
            raise ValueError("wavelength_aa is in Angstrom, above 0")
        if len(set(self.names or self.columns)) < n:
            raise ValueError("two columns have one name; give names")
        return self
