"""What a condition asks of single columns, so that parts of a table can be left unread."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Limit", "columns_in", "limits_in"]

_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}


@dataclass(frozen=True)
class Limit:
    """Every row that satisfies the condition has a column that compares so with one of `values`."""

    column: str
    sign: str
    """<, <=, >, >= or ==."""
    values: tuple[int | float | str, ...]

    def may_hold(self, low: Any, high: Any) -> bool:
        """False where no value from `low` to `high` compares so; True where that is not known."""
        try:
            return any(self._may_hold(low, high, value) for value in self.values)
        except TypeError:  # text beside numbers is refused by the condition itself
            return True

    def _may_hold(self, low: Any, high: Any, value: Any) -> bool:
        below = low >= value if self.sign == "<" else low > value
        above = high <= value if self.sign == ">" else high < value
        too_high = below and self.sign in ("<", "<=", "==")
        too_low = above and self.sign in (">", ">=", "==")
        return not (too_high or too_low)


def columns_in(node: ast.AST, aliases: Mapping[str, str]) -> set[str]:
    """Names of the columns in a parsed condition; `aliases` has those that are no names there."""
    names = (one.id for one in ast.walk(node) if isinstance(one, ast.Name))
    return {aliases.get(name, name) for name in names}


def limits_in(node: ast.expr, aliases: Mapping[str, str]) -> Iterator[Limit]:
    """Of the clauses joined by `and`, those that compare a column with numbers or text."""
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        for value in node.values:
            yield from limits_in(value, aliases)
    elif isinstance(node, ast.Compare):
        left = node.left
        for sign, right in zip(node.ops, node.comparators, strict=True):
            yield from _of_pair(left, sign, right, aliases)
            left = right


def _of_pair(
    left: ast.expr, sign: ast.cmpop, right: ast.expr, aliases: Mapping[str, str]
) -> Iterator[Limit]:
    if isinstance(sign, ast.In) and isinstance(left, ast.Name):
        found = _constant(right)
        if isinstance(found, list | tuple | set) and all(map(_is_plain, found)):
            yield Limit(aliases.get(left.id, left.id), "==", tuple(found))
    elif word := _SIGNS.get(type(sign)):
        for one, other, way in ((left, right, word), (right, left, _TURNED[word])):
            value = _constant(other)
            if isinstance(one, ast.Name) and _is_plain(value):
                yield Limit(aliases.get(one.id, one.id), way, (value,))


def _constant(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None


def _is_plain(value: Any) -> bool:
    return isinstance(value, int | float | str) and not isinstance(value, bool)
