"""Conditions on the catalogue, such as "mag_r < 22 and zwarn == 0", evaluated without `eval`."""

import ast
import re
import warnings
from typing import TYPE_CHECKING

import numpy as np

from fmb.conditions.limits import Limit, columns_in, limits_in
from fmb.contract.arrays import Array
from fmb.messages.errors import SelectionError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Where"]

SHOWN = 120
"""Characters of a condition that a message repeats."""
DEEPEST = 60
"""Levels of brackets and operators in a condition."""
_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_TOKEN = re.compile(
    rf"({_QUOTED})|`([^`]+)`|\b(class|lambda|from|global|def|(?=\w*[^\x00-\x7f])[^\W\d]\w*)\b"
)
"""Text in quotes, a column in backticks, or one that Python would read as something else: a word of
its own, or letters that it takes for others (the two signs for micro)."""
_OTHER_TONGUES = (
    (r"(?<![<>=!:])=(?!=)", "write == for equal"),
    (r"<>", "write != for unequal"),
    (r"&&|\|\||\b(AND|OR|NOT|IN)\b", "write and, or, not, in in small letters"),
)
"""What other languages write -> what is written here."""


class Where:
    """A parsed condition: comparisons, arithmetic, five functions, and, or, not, in; no more."""

    example = "mag_r < 22 and zwarn == 0"
    """What a message on one that cannot be parsed shows."""

    def __init__(self, text: str, option: str = "--where") -> None:
        """Parse a condition.

        Args:
            text: what the user wrote.
            option: where, for messages.

        Raises:
            SelectionError: it is none.
        """
        self._text, self._option = text, option
        self._columns: dict[str, str] = {}
        try:
            with warnings.catch_warnings():  # of Python, on what is no program
                warnings.simplefilter("ignore")
                tree = ast.parse(_TOKEN.sub(self._plain, text).strip(), mode="eval")
            nested: list[ast.AST] = [tree.body]
            for _ in range(DEEPEST):
                nested = [inner for outer in nested for inner in ast.iter_child_nodes(outer)]
            if nested:
                raise RecursionError
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = getattr(error, "msg", "") or "no condition, or too deep a one"
            bare = re.sub(_QUOTED, "", text)
            advice = [told for sign, told in _OTHER_TONGUES if re.search(sign, bare)]
            shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
            raise SelectionError(
                f"{option} {shown!r}: {'; '.join(advice) or reason}; write for instance"
                f" {self.example!r}"
            ) from None
        self._body = tree.body

    def _plain(self, match: re.Match[str]) -> str:
        """Columns that are no Python names, under names that are."""
        if match[1]:
            return match[1]
        name, alias = match[2] or match[3], f"column_{len(self._columns)}_"
        while alias in self._text:
            alias += "_"
        self._columns[alias] = name
        return alias

    @property
    def canonical(self) -> str:
        """The same text for conditions that differ in spaces and brackets only."""
        return self._show(self._body)

    @property
    def columns(self) -> set[str]:
        """Names of the columns that it compares; `object_id` may be among them."""
        return columns_in(self._body, self._columns)

    @property
    def limits(self) -> list[Limit]:
        """What it asks of single columns: rows outside one of them need not be read."""
        return list(limits_in(self._body, self._columns))

    def _show(self, node: ast.AST) -> str:
        text = ast.unparse(node)
        for alias, name in self._columns.items():
            text = text.replace(alias, name if name.isidentifier() else f"`{name}`")
        return text

    def evaluate(self, catalog: "pd.DataFrame", ids: Array) -> tuple[Array, list[tuple[str, int]]]:
        """Which objects satisfy the condition, and how many each of its clauses keeps alone.

        Args:
            catalog: n rows.
            ids: (n,), known as `object_id`.

        Returns:
            (n,) bool, and (clause, number kept) for each part joined by `and`.

        Raises:
            SelectionError: an unknown column, one that cannot be compared, text compared with
                numbers, or anything that is no condition on columns.
        """
        # Imported here: a condition is also parsed where nobody has loaded pandas.
        from fmb.conditions.rows import Rows

        body = self._body
        clauses = (
            body.values if isinstance(body, ast.BoolOp) and isinstance(body.op, ast.And) else [body]
        )
        rows = Rows(f"{self._option} {self._text!r}", catalog, ids, self._columns, self._show)
        kept = {clause: rows.where(clause) for clause in clauses}
        keep = np.logical_and.reduce(list(kept.values()))
        return keep, [(self._show(clause), int(some.sum())) for clause, some in kept.items()]
