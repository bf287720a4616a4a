"""Which rows of a table satisfy a parsed condition."""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from fmb.conditions.arithmetic import among, compared, computed, negated
from fmb.conditions.functions import FUNCTIONS, called
from fmb.conditions.values import Refusal, Value, column_value, literal_value
from fmb.contract.arrays import Array
from fmb.messages.errors import SelectionError, did_you_mean

__all__ = ["Rows"]

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
_NO_VALUE = "a missing value fails every comparison: 'mag == mag' keeps the objects that have one"
_NO_COLUMNS = {
    **dict.fromkeys(("true", "false"), "write True or False"),
    **dict.fromkeys(("nan", "null", "none", "na"), _NO_VALUE),
}
"""Words that are meant as a value -> what to write."""


class Rows:
    """The rows of a table, and the ids that stand beside them."""

    def __init__(
        self,
        where: str,
        table: pd.DataFrame,
        ids: Array,
        aliases: Mapping[str, str],
        show: Callable[[ast.AST], str],
    ) -> None:
        """Nothing is read yet.

        Args:
            where: the option and its text, with which messages begin.
            table: n rows.
            ids: (n,), known as `object_id`.
            aliases: name in the parsed condition -> column.
            show: a part of the condition as it was written.
        """
        self._where, self._table, self._ids = where, table, ids
        self._aliases, self._show = aliases, show

    def where(self, node: ast.expr) -> Array:
        """(n,) bool of a condition.

        Raises:
            SelectionError: it is none.
        """
        if isinstance(node, ast.BoolOp):
            parts = [self.where(value) for value in node.values]
            both = isinstance(node.op, ast.And)
            return np.asarray(np.logical_and.reduce(parts) if both else np.logical_or.reduce(parts))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            turned: Array = ~self.where(node.operand)
            return turned
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.Name):
            value = self._value(node)
            if value.truth or value.kind == "nothing":
                yes: Array = (value.values != 0) & value.known
                return yes
            raise self.refuse(node, "is not a yes-or-no column; compare it with something")
        raise self.refuse(node, _in_words(node) or "is not a condition")

    def _compare(self, node: ast.Compare) -> Array:
        keep = np.ones(len(self._ids), dtype=bool)
        left = node.left
        for sign, right in zip(node.ops, node.comparators, strict=True):
            self._refuse_bare_words(left, right)
            a = self._value(left)
            try:
                if isinstance(sign, ast.In | ast.NotIn):
                    found = among(self._column_of(node, a), self._list(right))
                    keep &= found if isinstance(sign, ast.In) else ~found & a.known
                elif type(sign) in _COMPARE:
                    b = self._value(right)
                    self._column_of(node, a, b)
                    keep &= compared(_COMPARE[type(sign)], a, b)
                else:
                    raise self.refuse(node, "compares with 'is'; write ==")
            except Refusal as why:
                raise self.refuse(node, str(why)) from None
            left = right
        return keep

    def _column_of(self, node: ast.AST, *values: Value) -> Value:
        """The first, where one of them is a column."""
        if not any(value.is_column for value in values):
            raise self.refuse(node, "names no column; columns stand without quotes")
        return values[0]

    def _refuse_bare_words(self, *sides: ast.expr) -> None:
        """Say that text goes in quotes where a word that is no column is compared with text."""
        for word, other in (sides, sides[::-1]):
            if not isinstance(word, ast.Name) or not isinstance(other, ast.Name):
                continue
            name, beside = (self._aliases.get(one.id, one.id) for one in (word, other))
            if self._is_column(name) or not self._is_column(beside):
                continue
            if self._value(other).kind == "text":
                raise SelectionError(
                    f"{self._where}: no column is called {name!r}; text goes in quotes:"
                    f" {self._show(other)} == {name!r}"
                )

    def _list(self, node: ast.expr) -> list[Value]:
        try:
            values = ast.literal_eval(node)
        except (ValueError, TypeError):
            values = None
        if not isinstance(values, list | tuple | set):
            raise self.refuse(node, "is not a list; write for instance ['QSO', 'STAR']")
        if None in values:
            raise self.refuse(node, f"holds None; {_NO_VALUE}")
        return [literal_value(value) for value in values]

    def _value(self, node: ast.expr) -> Value:
        """A column, a number or text.

        Raises:
            SelectionError: it is none of these, or cannot be computed.
        """
        try:
            if isinstance(node, ast.Constant):
                if node.value is None:
                    raise Refusal(f"stands for no value; {_NO_VALUE}")
                return literal_value(node.value)
            if isinstance(node, ast.Name):
                return column_value(self._column(self._aliases.get(node.id, node.id)))
            if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
                number = self._number(node.operand)
                return negated(number) if isinstance(node.op, ast.USub) else number
            if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
                left, right = self._number(node.left), self._number(node.right)
                return computed(_ARITHMETIC[type(node.op)], left, right)
            if isinstance(node, ast.Call):
                return self._call(node)
        except Refusal as why:
            raise self.refuse(node, str(why)) from None
        raise self.refuse(node, _in_words(node) or "is not a column, a number or text")

    def _call(self, node: ast.Call) -> Value:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS:
            hint = did_you_mean(name or self._show(node.func), FUNCTIONS)
            raise self.refuse(node, f"calls no function that is known here{hint}")
        if node.keywords or any(isinstance(one, ast.Starred) for one in node.args):
            raise self.refuse(node, "takes columns and numbers between commas")
        return called(name, [self._number(one) for one in node.args])

    def result(self, node: ast.expr) -> Value:
        """What a formula comes to, row by row: numbers, or yes and no where it is a condition.

        Raises:
            SelectionError: it is neither, or names no column.
        """
        inverted = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
        if isinstance(node, ast.Compare | ast.BoolOp) or inverted:
            return Value("whole", self.where(node).astype(np.int64), truth=True)
        return self._column_of(node, self._number(node))

    def _number(self, node: ast.expr) -> Value:
        value = self._value(node)
        if value.kind in ("text", "time"):
            raise self.refuse(node, f"is {value.kind}, not a number")
        return value

    def _is_column(self, name: str) -> bool:
        return name == "object_id" or name in self._table.columns

    def _column(self, name: str) -> pd.Series:
        if name == "object_id":
            return pd.Series(self._ids)
        if not self._is_column(name):
            names = [*map(str, self._table.columns), "object_id"]
            hint = did_you_mean(name, names)
            meant = _NO_COLUMNS.get(name.lower())
            raise SelectionError(
                f"{self._where}: no column is called {name!r}{f'; {meant}' if meant else hint}"
            )
        column = self._table[name]
        if isinstance(column, pd.DataFrame):
            raise SelectionError(f"{self._where}: {column.shape[1]} columns are called {name!r}")
        return column

    def refuse(self, node: ast.AST, why: str) -> SelectionError:
        """What to raise of a part that cannot be meant."""
        return SelectionError(f"{self._where}: {self._show(node)!r} {why}")


def _in_words(node: ast.expr) -> str:
    """What to say of signs of bits, which bind closer than comparisons; "" for all else."""
    bits = isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr | ast.BitXor)
    if bits or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert)):
        return "works on bits, which are not tested here; write and, or, not"
    return ""
