"""The unit of a formula, from the units of its columns."""

import ast
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from astropy import units
from astropy.units.function import FunctionUnitBase

from fmb.messages.errors import SelectionError

__all__ = ["UnitOf"]

_NUMBER = units.dimensionless_unscaled
_SUMS = (ast.Add, ast.Sub, ast.Mod)


class UnitOf:
    """Units of the parts of a formula: one of astropy, or None where it is not known."""

    def __init__(
        self,
        where: str,
        known: Mapping[str, str],
        aliases: Mapping[str, str],
        show: Callable[[ast.AST], str],
    ) -> None:
        """Nothing is computed yet.

        Args:
            where: names the formula in messages.
            known: column -> unit.
            aliases: name in the parsed formula -> column.
            show: a part of the formula as it was written.
        """
        self._where, self._known, self._aliases, self._show = where, known, aliases, show

    def text(self, node: ast.expr) -> str:
        """The unit as text, "" where it is none or not known.

        Raises:
            SelectionError: different units are added, subtracted or compared.
        """
        found = self._of(node)
        return "" if found is None else str(found.to_string())

    def _of(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            return _parsed(self._known.get(self._aliases.get(node.id, node.id), ""))
        if isinstance(node, ast.UnaryOp):
            return self._of(node.operand)
        if isinstance(node, ast.BinOp):
            return self._of_two(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._of_call(node, node.func.id)
        if isinstance(node, ast.Compare):
            parts = (node.left, *node.comparators)
            self._all_same(node, parts, [self._of(part) for part in parts])
        elif isinstance(node, ast.BoolOp):
            for part in node.values:
                self._of(part)
        return _NUMBER

    def _of_two(self, node: ast.BinOp) -> Any:
        parts = (node.left, node.right)
        left, right = (self._of(part) for part in parts)
        if isinstance(node.op, _SUMS):
            found = self._all_same(node, parts, (left, right))
            if not _is_logarithmic(found) or left != right or any(map(_is_written, parts)):
                return found
            # A difference of magnitudes has no zero point; a sum of two has no meaning.
            return found.function_unit if isinstance(node.op, ast.Sub) else None
        if left is None or right is None or _is_logarithmic(left) or _is_logarithmic(right):
            return None
        return left * right if isinstance(node.op, ast.Mult) else left / right

    def _of_call(self, node: ast.Call, name: str) -> Any:
        found = self._all_same(node, node.args, [self._of(part) for part in node.args])
        if name == "log10":
            return _NUMBER
        if name == "sqrt":
            return None if found is None or _is_logarithmic(found) else found**0.5
        return found

    def _all_same(self, node: ast.expr, parts: Sequence[ast.expr], of: Sequence[Any]) -> Any:
        """The unit that all parts have; a number that is written out has that of the others."""
        found = [unit for part, unit in zip(parts, of, strict=True) if not _is_written(part)]
        if not found:
            return _NUMBER
        if any(unit is None for unit in found):
            return None
        one = next((unit for unit in found if _is_logarithmic(unit)), found[0])
        for unit in found:
            if unit != one and not (_is_logarithmic(one) and one.function_unit == unit):
                raise SelectionError(
                    f"{self._where}: {self._show(node)!r} takes {one.to_string()!r} and"
                    f" {unit.to_string()!r} together; multiply one by what converts it"
                )
        return one


def _is_logarithmic(unit: Any) -> bool:
    return isinstance(unit, FunctionUnitBase)


def _is_written(node: ast.expr) -> bool:
    """True for numbers, and what is computed of numbers alone."""
    return not any(isinstance(inner, ast.Name) for inner in ast.walk(node))


def _parsed(text: str) -> Any:
    if not text:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return units.Unit(text)
        except (ValueError, TypeError):
            return None
