"""What tells one survey from every other: its mapping and the content of its files."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fmb import DataError
from fmb.files import attributes, open_file
from fmb.store import Digests
from fmb_surveys.files.row_index import read_index
from fmb_surveys.files.survey_toml import ColumnsSource, ImagesSource, SpectraSource, Survey

__all__ = [
    "file_identity",
    "fingerprint",
    "stored_identity",
    "survey_digest",
    "tree_digest",
    "unit_warnings",
]

WHOLE_BYTES = 2 * 2**30
"""Files up to this size are digested whole; larger ones by size, time and sampled blocks."""

DIGEST_ATTRIBUTE = "fmb_digest"
"""Ties the survey.h5 that FMB wrote to the survey.toml and catalogue beside it."""

_BLOCK = 2**20
_SAMPLES = 64


def fingerprint(path: Path) -> str:
    """Digest of a file's content, 32 hexadecimal digits.

    Up to 2 GiB every byte counts. A larger file counts with its size, its time of modification
    and 64 blocks of 1 MiB spread evenly over it, so touching or copying it makes it another one.
    A folder counts by names, sizes and times of its files.

    Raises:
        DataError: the file cannot be read.
    """
    if path.is_dir():
        return tree_digest(path)
    digest = hashlib.blake2b(digest_size=16)
    try:
        status = path.stat()
        with path.open("rb") as stream:
            if status.st_size <= WHOLE_BYTES:
                while block := stream.read(_BLOCK):
                    digest.update(block)
            else:
                digest.update(f"{status.st_size} {status.st_mtime_ns}".encode())
                for sample in range(_SAMPLES):
                    stream.seek(sample * (status.st_size - _BLOCK) // (_SAMPLES - 1))
                    digest.update(stream.read(_BLOCK))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    return digest.hexdigest()


def tree_digest(path: Path) -> str:
    """Digest of names, sizes and times of change of all files of a tree, or of the file.

    Links to folders are not followed: a loop of them would have no end.

    Raises:
        DataError: the path is not there, or a folder cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)

    def add(entry: os.stat_result, name: str) -> None:
        digest.update(f"{name} {entry.st_size} {entry.st_mtime_ns}\n".encode())

    def fail(error: OSError) -> None:
        raise DataError(f"{error.filename}: cannot be read: {error.strerror}")

    try:
        if path.is_file():
            add(path.stat(), path.name)
            return digest.hexdigest()
        for folder, folders, files in os.walk(path, onerror=fail):
            folders.sort()
            for name in sorted(files):
                place = os.path.join(folder, name)
                # A link that leads nowhere is told by whoever reads it, who may skip it.
                state = os.stat(place) if os.path.exists(place) else os.lstat(place)
                add(state, os.path.relpath(place, path))
    except OSError as error:
        fail(error)
    return digest.hexdigest()


def file_identity(
    survey: Survey, folder: Path, known_files: Digests | None = None, skip_bad: bool = False
) -> dict[str, Any]:
    """Name, mapping and file contents of a survey; the same wherever its files are.

    Args:
        survey: what survey.toml says.
        folder: that it is in.
        known_files: remembers fingerprints of files that stay as they are; None = read them.
        skip_bad: whether files of single objects may be missing.
    """
    files = {"catalog": survey.catalog_file}
    files |= {f"catalog.join.{name}": one.file for name, one in survey.catalog.join.items()}
    for name, source in survey.inputs.items():
        if not (isinstance(source, ColumnsSource) and source.of_catalog):
            files[f"inputs.{name}"] = source.files or source.file or survey.file
    known = {
        file: known_files.of(folder / file, fingerprint)
        if known_files
        else fingerprint(folder / file)
        for file in set(files.values())
    }
    digests = {what: known[file] for what, file in files.items()}
    for name, source in survey.inputs.items():
        if source.files:
            bands = source.bands if isinstance(source, ImagesSource) else ()
            rows = read_index(folder / source.files, name, bands)[1]
            named = [file for row in rows for file in row if file]
            digests[f"inputs.{name}.files"] = _states(folder, named, skip_bad)
    return {"name": survey.name, "reader": "hdf5", "mapping": survey.mapping(), "files": digests}


def _states(folder: Path, files: Sequence[str], skip_bad: bool) -> str:
    """Digest of names, sizes and times of one file an object; reading them all would take hours."""
    digest = hashlib.blake2b(digest_size=16)
    for name in files:
        try:
            status = (folder / name).stat()
        except OSError as error:
            if not skip_bad:
                raise DataError(f"{folder / name}: cannot be read: {error.strerror}") from None
            digest.update(f"{name} {error.strerror}\n".encode())
            continue
        digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def survey_digest(survey: Survey, folder: Path) -> str:
    """Digest of a written survey's description and catalogue."""
    digest = hashlib.blake2b(survey.text().encode(), digest_size=16)
    digest.update(fingerprint(folder / survey.catalog_file).encode())
    return digest.hexdigest()


def stored_identity(survey: Survey, folder: Path) -> tuple[Mapping[str, Any], list[str]] | None:
    """Identity and warnings of the dataset that was written here, or None.

    They hold only for what was written: when survey.toml or catalogue have changed since, the
    survey is taken by the content of its files like any other.
    """
    if survey.stored is None:
        return None
    with open_file(folder / survey.file) as file:
        if attributes(file).get(DIGEST_ATTRIBUTE) != survey_digest(survey, folder):
            return None
    return json.loads(survey.stored.identity), list(survey.stored.warnings)


def unit_warnings(survey: Survey) -> list[str]:
    """What the units of the inputs mean for a reader of the results, one line each."""
    inputs = survey.inputs.items()
    display = [n for n, s in inputs if isinstance(s, ImagesSource) and s.unit == "display"]
    counts = [
        n
        for n, s in inputs
        if isinstance(s, SpectraSource) and (s.unit == "counts" or not s.calibrated)
    ]
    lines = []
    if display:
        lines.append(
            f"not photometric: display-stretched images carry no flux scale ({', '.join(display)})"
        )
    if counts:
        lines.append(
            f"not flux-calibrated: levels of these spectra mean nothing ({', '.join(counts)})"
        )
    return lines
