"""Conditions on the catalogue, such as "mag_r < 22 and zwarn == 0", evaluated without `eval`."""

import ast
import operator
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.errors import SelectionError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Where"]

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
SHOWN = 120
"""Characters of a condition that a message repeats."""
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
DEEPEST = 60
"""Levels of brackets and operators in a condition."""
_TOKEN = re.compile(r"""('[^']*'|"[^"]*")|`([^`]+)`|\b(class|lambda|from|global|def)\b""")
"""Text in quotes, a column in backticks, or a column called like a word of Python."""


class Where:
    """A parsed condition. Comparisons, arithmetic, and, or, not, in; no calls, no attributes."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._columns: dict[str, str] = {}
        try:
            tree = ast.parse(_TOKEN.sub(self._plain, text).strip(), mode="eval")
            nested: list[ast.AST] = [tree.body]
            for _ in range(DEEPEST):
                nested = [inner for outer in nested for inner in ast.iter_child_nodes(outer)]
            if nested:
                raise RecursionError
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = getattr(error, "msg", "") or "no condition, or too deep a one"
            shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
            raise SelectionError(
                f"--where {shown!r}: {reason}; write for instance 'mag_r < 22 and zwarn == 0'"
            ) from None
        self._body = tree.body

    def _plain(self, match: re.Match[str]) -> str:
        """Columns that are no Python names, under names that are."""
        if match[1]:
            return match[1]
        name = match[2] or match[3]
        self._columns[alias := f"column_{len(self._columns)}_"] = name
        return alias

    @property
    def canonical(self) -> str:
        """The same text for conditions that differ in spaces and brackets only."""
        return self._show(self._body)

    def _show(self, node: ast.AST) -> str:
        text = ast.unparse(node)
        for alias, name in self._columns.items():
            text = text.replace(alias, f"`{name}`" if not name.isidentifier() else name)
        return text

    def evaluate(self, catalog: "pd.DataFrame", ids: Array) -> tuple[Array, list[tuple[str, int]]]:
        """Which objects satisfy the condition, and how many each of its clauses keeps alone.

        Args:
            catalog: n rows.
            ids: (n,), known as `object_id`.

        Returns:
            (n,) bool, and (clause, number kept) for each part joined by `and`.

        Raises:
            SelectionError: an unknown column, text compared with numbers, or anything that is no
                condition on columns.
        """
        body = self._body
        top = (
            body.values if isinstance(body, ast.BoolOp) and isinstance(body.op, ast.And) else [body]
        )
        keep, counts = np.ones(len(ids), dtype=bool), []
        for clause in top:
            kept = self._truth(clause, catalog, ids)
            counts.append((self._show(clause), int(kept.sum())))
            keep &= kept
        return keep, counts

    def _truth(self, node: ast.expr, catalog: "pd.DataFrame", ids: Array) -> Array:
        """(n,) bool of a condition."""
        if isinstance(node, ast.BoolOp):
            parts = [self._truth(value, catalog, ids) for value in node.values]
            both = isinstance(node.op, ast.And)
            return np.asarray(np.logical_and.reduce(parts) if both else np.logical_or.reduce(parts))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~self._truth(node.operand, catalog, ids)
        if isinstance(node, ast.Compare):
            return self._compare(node, catalog, ids)
        if isinstance(node, ast.Name):
            values = self._value(node, catalog, ids)
            if values.dtype in (bool, "boolean"):
                return np.asarray(values.fillna(False), dtype=bool)
            raise self._refuse(node, "is not a yes-or-no column; compare it with something")
        raise self._refuse(node, "is not a condition")

    def _compare(self, node: ast.Compare, catalog: "pd.DataFrame", ids: Array) -> Array:
        keep = np.ones(len(ids), dtype=bool)
        left = node.left
        for sign, right in zip(node.ops, node.comparators, strict=True):
            a = self._value(left, catalog, ids)
            if isinstance(sign, ast.In | ast.NotIn):
                found = self._series(a, node).isin(self._list(right))
                keep &= np.asarray(found) == isinstance(sign, ast.In)
            elif type(sign) in _COMPARE:
                keep &= self._signed(
                    node, _COMPARE[type(sign)], a, self._value(right, catalog, ids)
                )
            else:
                raise self._refuse(node, "compares with 'is'; write ==")
            left = right
        return keep

    def _signed(self, node: ast.Compare, sign: Callable[..., Any], a: Any, b: Any) -> Array:
        kinds = {_is_text(a), _is_text(b)}
        if len(kinds) > 1:
            raise self._refuse(node, "compares text with a number")
        try:
            found = self._series(sign(a, b), node)
        except TypeError:
            raise self._refuse(node, "compares values of different kinds") from None
        missing = np.zeros(len(found), dtype=bool)
        for side in (a, b):
            if hasattr(side, "isna"):
                missing |= np.asarray(side.isna())
        return np.asarray(found.fillna(False), dtype=bool) & ~missing

    def _series(self, value: Any, node: ast.AST) -> Any:
        if not hasattr(value, "isin"):
            raise self._refuse(node, "names no column")
        return value

    def _list(self, node: ast.expr) -> list[Any]:
        try:
            values = ast.literal_eval(node)
        except (ValueError, TypeError):
            values = None
        if not isinstance(values, list | tuple | set):
            raise self._refuse(node, "is not a list; write for instance ['QSO', 'STAR']")
        return list(values)

    def _value(self, node: ast.expr, catalog: "pd.DataFrame", ids: Array) -> Any:
        """A column or a number."""
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str):
            return node.value
        if isinstance(node, ast.Name):
            return self._column(self._columns.get(node.id, node.id), catalog, ids)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self._number(node.operand, catalog, ids)
        if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            left, right = (self._number(side, catalog, ids) for side in (node.left, node.right))
            try:
                return _ARITHMETIC[type(node.op)](left, right)
            except (ArithmeticError, TypeError) as error:
                raise self._refuse(node, f"cannot be computed: {error}") from None
        raise self._refuse(node, "is not a column, a number or text")

    def _number(self, node: ast.expr, catalog: "pd.DataFrame", ids: Array) -> Any:
        value = self._value(node, catalog, ids)
        if _is_text(value):
            raise self._refuse(node, "is text, not a number")
        return value

    def _column(self, name: str, catalog: "pd.DataFrame", ids: Array) -> Any:
        if name in catalog.columns:
            return catalog[name]
        if name == "object_id":
            import pandas as pd

            return pd.Series(ids)
        names = [*map(str, catalog.columns), "object_id"]
        raise SelectionError(f"--where: no column is called {name!r}{did_you_mean(name, names)}")

    def _refuse(self, node: ast.AST, why: str) -> SelectionError:
        return SelectionError(f"--where {self._text!r}: {self._show(node)!r} {why}")


def _is_text(value: Any) -> bool:
    """True for text, a column of text or of categories."""
    dtype = getattr(value, "dtype", None)
    return isinstance(value, str) if dtype is None else dtype.kind not in "iufb"
