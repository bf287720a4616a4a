"""Names of one file an object, or one a band of it, as a path with fields in braces."""

import glob
import os
import re
import sys
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from string import Formatter
from typing import Any

from fmb import DataError
from fmb_surveys.files.stores.object_files import OPENERS
from fmb_surveys.files.stores.store import FORMATS

__all__ = ["BAND", "ID", "Template"]

BAND, ID = "band", "id"
"""Fields that may be told by the names of the files instead of a column of the catalogue."""

_NAMED = re.compile(r"([a-z0-9]+(?:[-_][a-z0-9]+)*)=(.+)")
_HERE = "\0"
"""Stands in a path for what its file name tells."""


class Template:
    """Where an input's files are: a path with {COLUMN} for values of the catalogue.

    {band} is a column too where the catalogue has one, else what the names of files have there.
    Without a field it is one file for all objects.
    """

    def __init__(self, text: str, default: str) -> None:
        """Take apart "[NAME=]PATH"; without NAME the input is called `default`.

        Raises:
            DataError: the path is no template, or no installed reader takes such files.
        """
        match = _NAMED.fullmatch(text)
        self.name, self.path = (match[1], match[2]) if match else (default, text)
        try:
            self._parts = list(Formatter().parse(self.path))
        except ValueError as error:
            raise DataError(f"{self.path}: not a template: {error}") from None
        self.fields = tuple(field for _, field, _, _ in self._parts if field is not None)
        # A path that ends with a field has the ending that is in the catalogue.
        if not (self._parts and self._parts[-1][1] is not None):
            self._refuse_unread()

    def _refuse_unread(self) -> None:
        of_all = [ending for _, endings in FORMATS.values() for ending in endings]
        endings, name = (tuple(OPENERS) if self.fields else tuple(of_all)), self.path.lower()
        if name.endswith(endings) or (not self.fields and os.path.isdir(self.path)):
            return
        if not self.fields and name.endswith(tuple(OPENERS)):
            raise DataError(f"{self.path}: a file of one object; name those of all with {{COLUMN}}")
        raise DataError(
            f"{self.path}: no installed plugin reads {Path(self.path).suffix!r} cutouts or spectra;"
            f" give {', '.join(sorted(endings))} files or install a reader plugin"
        )

    def fill(self, columns: Mapping[str, Sequence[Any]], n: int) -> list[str | None]:
        """The path of each object; None where a value is missing.

        A field that `columns` lacks stays open for `of_bands`.

        Raises:
            DataError: a value does not take the format that the template asks for.
        """
        return [self._fill_one({name: columns[name][row] for name in columns}) for row in range(n)]

    def _fill_one(self, values: Mapping[str, Any]) -> str | None:
        made = ""
        for literal, field, form, _ in self._parts:
            made += literal
            if field is None:
                continue
            if field not in values:
                made += _HERE
                continue
            if values[field] is None:
                return None
            try:
                made = _joined(made, format(values[field], form or ""))
            except (ValueError, TypeError) as error:
                raise DataError(
                    f"{self.path}: {field} = {values[field]!r} does not fit: {error}"
                ) from None
        return made

    def of_bands(self, filled: Sequence[str | None]) -> list[dict[str, str]]:
        """The file of each band that is there, for each object: band as in its name -> path."""
        there = sorted(self.on_disk(()))
        turned = sorted(path[::-1] for path in there)
        found: list[dict[str, str]] = []
        for path in filled:
            before, _, after = os.path.normpath(path).partition(_HERE) if path else ("", "", "")
            # What is told of an object may stand before the band or behind it: the rarer is looked
            # through, or a folder a band would be gone through for every object.
            begin, end = _starting(there, before), _starting(turned, after[::-1])
            if _length(begin) <= _length(end):
                names = there[begin]
            else:
                names = [name[::-1] for name in turned[end]]
            bands = ((name[len(before) : len(name) - len(after)], name) for name in names if path)
            found.append({b: n for b, n in bands if before + b + after == n and b and "/" not in b})
        return found

    def of_ids(self) -> tuple[list[dict[str, str]], list[str]]:
        """The files of each id that stands in a name, and the ids, in the order of their text.

        Raises:
            DataError: another field than {id} and {band} is in the path, or no file is there.
        """
        others = [field for field in self.fields if field not in (ID, BAND)]
        forms = [form for _, field, form, _ in self._parts if field is not None and form]
        if others or forms or ID not in self.fields:
            raise DataError(
                f"{self.path}: without --catalog the fields are {{id}} and, for a file a band,"
                " {band}, without formats"
            )
        pattern = re.compile(self._pattern())
        found: dict[str, dict[str, str]] = {}
        for file in sorted(self.on_disk(())):
            if match := pattern.fullmatch(file):
                parts = match.groupdict()
                found.setdefault(parts[ID], {})[parts.get(BAND, "")] = file
        if not found:
            raise DataError(f"{self.path}: no such file is there")
        return list(found.values()), list(found)

    def _pattern(self) -> str:
        """A regular expression of the paths; {band} is as short as can be."""
        seen: set[str] = set()
        made = ""
        for literal, field, _, _ in [*self._parts]:
            made += re.escape(literal)
            if field is not None:
                shortest = "?" if field == BAND else ""
                made += f"(?P={field})" if field in seen else f"(?P<{field}>[^/]+{shortest})"
                seen.add(field)
        return made

    def on_disk(self, found: Collection[str]) -> set[str]:
        """Every file that the template could name.

        Args:
            found: files of objects; where the catalogue has the endings, what is beside them with
                one of their endings.
        """
        if self._parts[-1][1] is None:
            pattern = "".join(
                glob.escape(literal) + ("" if field is None else "*")
                for literal, field, _, _ in self._parts
            )
            return {os.path.normpath(path) for path in glob.glob(pattern)}
        endings = {os.path.splitext(path)[1] for path in found}
        folders = {os.path.dirname(path) for path in found}
        beside = (os.path.join(folder, name) for folder in folders for name in os.listdir(folder))
        return {path for path in beside if os.path.splitext(path)[1] in endings}


def _starting(ordered: Sequence[str], start: str) -> slice:
    """Where in sorted texts those are that begin with `start`."""
    return slice(bisect_left(ordered, start), bisect_left(ordered, start + chr(sys.maxunicode)))


def _length(of: slice) -> int:
    return int(of.stop) - int(of.start)


def _joined(before: str, value: str) -> str:
    """The path so far with a value behind it, whose own folder may repeat the last one of it."""
    folder = before.rpartition("/")[0].rpartition("/")[2] + "/"
    if before.endswith("/") and value.startswith(folder) and not os.path.isfile(before + value):
        return before + value[len(folder) :]
    return before + value
