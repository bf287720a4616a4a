"""A survey packed into a folder: begun or gone on with, compared object by object, published."""

import errno
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from fmb import DataError, Dataset, StoreError
from fmb.files import find_dataset, open_file
from fmb.store import end_with_parent, ensure_folder, publish_json, read_json, sync, write_failure
from fmb_surveys.files.identity import unit_warnings
from fmb_surveys.files.reader import open_survey
from fmb_surveys.files.survey_toml import FILE_NAME, CatalogSource, Survey, write_survey_file
from fmb_surveys.files.writer import write_catalog
from fmb_surveys.pack.digests import object_digests
from fmb_surveys.pack.shards import DIGEST, ROWS_AT_ONCE, Packed, packed_inputs

__all__ = ["Told", "pack"]

BEGUN = "pack.json"
"""What is being packed; it goes when all is done."""
_CATALOG = "catalog.parquet"
WORTH_SHARING = 500
"""Objects from which on starting other processes pays."""
SLACK = 1.02
"""What HDF5 itself adds."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Told:
    """What packing came to."""

    objects: int
    shards: int
    written: int
    """Shards that were not there from an earlier attempt."""
    compared: int
    """Observations that were read back and found to be those of the source."""


def pack(folder: Path, dataset: Dataset, rows_a_shard: int | None, progress: Progress) -> Told:
    """Write a survey into shards, from where an earlier attempt stopped.

    Each shard appears whole. When all are there every object is read back as the packed survey has
    it and compared with the digest that was taken of it in the source; then `survey.toml` appears,
    and with it the survey.

    Args:
        folder: to be made, or begun by an earlier attempt of the same.
        dataset: what is packed, read 256 objects at a time.
        rows_a_shard: objects of each shard; None = as many as 512 MB hold.
        progress: told what is done, how far, of how many objects.

    Raises:
        StoreError: the folder is finished, or was begun of other data.
        DataError: objects differ in layout, or one does not come back as it was.
        FailedError: the disk is full or the folder cannot be written to.
    """
    if (folder / FILE_NAME).exists():
        raise StoreError(f"{folder}: is packed already; remove it or choose another folder")
    inputs = packed_inputs(dataset, rows_a_shard)
    if not inputs:
        raise DataError(
            f"{folder}: nothing was observed of any object, so there is nothing to pack"
        )
    try:
        _begin(folder, dataset, inputs)
        missing = [
            (one, number)
            for one in inputs
            for number in one.shards
            if not one.path(folder, number).exists()
        ]
        _refuse_full_disk(folder, missing)
        _write(folder, dataset, missing, progress)
        survey = _describe(dataset, inputs)
        write_catalog(folder / _CATALOG, dataset)
        compared = _compare(folder, survey, inputs, progress)
        write_survey_file(folder / FILE_NAME, survey)
        for left in (folder / BEGUN, *folder.glob("*/.*.part")):  # of attempts that were killed
            left.unlink()
        sync(folder)
    except OSError as error:
        raise write_failure(folder, error) from error
    return Told(len(dataset), sum(len(one.shards) for one in inputs), len(missing), compared)


def _begin(folder: Path, dataset: Dataset, inputs: Sequence[Packed]) -> None:
    """Make the folder, or see that it was begun of the same data in the same way."""
    origins = [
        (one.name, None if (at := dataset.inputs[one.name].origin) is None else at[one.rows])
        for one in inputs
    ]
    state = hashlib.blake2b(digest_size=16)
    state.update(json.dumps(dict(dataset.identity), sort_keys=True, default=str).encode())
    state.update("\n".join(map(str, dataset.ids.tolist())).encode())
    for name, origin in origins:
        state.update(name.encode() + (b"" if origin is None else origin.tobytes()))
    shards = {one.name: one.rows_a_shard for one in inputs}
    record = {"source": state.hexdigest(), "rows": shards}
    if (folder / BEGUN).exists():
        if read_json(folder / BEGUN) != record:
            raise StoreError(
                f"{folder}: was begun of other data, or with other --rows; remove it, or choose"
                " another folder"
            )
    elif folder.exists() and any(folder.iterdir()):
        raise StoreError(f"{folder}: is there already; remove it or choose another folder")
    for one in inputs:
        ensure_folder(folder / one.name)
    publish_json(folder / BEGUN, record)


def _refuse_full_disk(folder: Path, missing: Sequence[tuple[Packed, int]]) -> None:
    """HDF5 crashes the process when the disk fills up under it: see before that all will fit."""
    needed = int(SLACK * sum(one.row_bytes * len(one.rows_of(at)) for one, at in missing))
    if (free := shutil.disk_usage(folder).free) < needed:
        raise OSError(errno.ENOSPC, f"{needed:,} bytes are needed and {free:,} are free")


def _write(
    folder: Path, dataset: Dataset, missing: Sequence[tuple[Packed, int]], progress: Progress
) -> None:
    total = sum(len(one.rows_of(number)) for one, number in missing)
    calls = (delayed(one.write)(folder, dataset, number) for one, number in missing)
    workers = -1 if total >= WORTH_SHARING and len(missing) > 1 else 1
    done = 0
    progress("pack", 0, total)
    for n in Parallel(workers, return_as="generator_unordered", initializer=end_with_parent)(calls):
        done += n
        progress("pack", done, total)


def _describe(dataset: Dataset, inputs: Sequence[Packed]) -> Survey:
    survey = Survey(
        name=str(dataset.identity.get("name", "survey")),
        catalog=CatalogSource(
            file=_CATALOG,
            id="object_id",
            columns=tuple(str(name) for name in dataset.catalog.columns),
            roles=dict(dataset.catalog.attrs.get("roles", {})),
        ),
        inputs={one.name: one.source for one in inputs},
        described=tuple(getattr(dataset, "described", ())),
    )
    again = unit_warnings(survey)
    kept = tuple(line for line in dataset.warnings if line not in again)
    return survey.model_copy(update={"left_out": kept})


def _compare(folder: Path, survey: Survey, inputs: Sequence[Packed], progress: Progress) -> int:
    """Read all objects as the packed survey has them; returns the number of observations."""
    packed = open_survey(survey, folder / FILE_NAME)
    total, done = sum(len(one.rows) for one in inputs), 0
    for one in inputs:
        for number in one.shards:
            rows, path = one.rows_of(number), one.path(folder, number)
            with open_file(path) as file:
                digests = find_dataset(file, DIGEST)[()]
            for start in range(0, len(rows), ROWS_AT_ONCE):
                some = rows[start : start + ROWS_AT_ONCE]
                data = packed.read(some, (one.name,)).inputs[one.name]
                if len(data) != len(some):
                    raise DataError(f"{path}: has lost objects; remove it and pack again")
                same = (object_digests(data) == digests[start : start + len(some)]).all(axis=1)
                if not same.all():
                    lost = packed.ids[some[int(np.flatnonzero(~same)[0])]]
                    raise DataError(
                        f"{path}: object {lost} is not what was read of the source; remove the file"
                        " and pack again"
                    )
                done += len(some)
                progress("compare", done, total)
    return done
