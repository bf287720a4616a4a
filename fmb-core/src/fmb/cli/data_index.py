"""What `fmb data index` does with its options: the survey they describe, written and tried."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fmb.config import build, merge, parse_setting
from fmb.datasets.hdf5 import HDF5Config, open_hdf5
from fmb.datasets.indexing import Indexed, Template, index_files, write_index
from fmb.datasets.survey_file import CatalogSource, build_survey, write_survey_file
from fmb.errors import ConfigError, FailedError, FmbError

__all__ = ["make_survey"]

_ROLES = ("ra", "dec", "redshift", "label", "group")


def make_survey(out: Path, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Write the survey.toml and, for one file an object, the row index beside it.

    Args:
        out: the survey.toml to write.
        options: those of `fmb data index`, by name.

    Returns:
        One record an input: its name, how many objects have it, which objects have no file and
        which files have no object.

    Raises:
        FmbError: the options contradict each other, or what they describe cannot be opened; then
            nothing is left behind.
    """
    templates = {
        kind: Template(options[kind], kind) for kind in ("images", "spectra") if options[kind]
    }
    if not templates:
        raise ConfigError("fmb data index: name files with --images, --spectra or both")
    catalog = _catalog(options, out)
    source = build(CatalogSource, catalog, "catalog")
    many = [template for template in templates.values() if template.columns]
    ids, indexed = index_files(source, Path(options["catalog"]), many)
    index = out.with_suffix(".index.parquet")
    tables: dict[str, Any] = {
        template.name: {
            **_KINDS[kind](options),
            **_place(template, index, out, options),
        }
        for kind, template in templates.items()
    }
    described = {
        "name": options["name"] or Path(options["catalog"]).stem,
        "catalog": catalog,
        "inputs": tables,
    }
    survey = build_survey(merge(described, *map(parse_setting, options["settings"])), out)
    try:
        if indexed:
            write_index(index, ids, indexed)
        write_survey_file(out, survey)
        dataset = open_hdf5(str(out), HDF5Config(), cache=out.parent)
    except OSError as error:
        raise FailedError(f"{out}: cannot be written: {error.strerror}") from None
    except FmbError:
        out.unlink(missing_ok=True)
        index.unlink(missing_ok=True)
        raise
    by_name = {item.name: item for item in indexed}
    return [_record(name, dataset.inputs, by_name.get(name), len(dataset)) for name in tables]


def _catalog(options: Mapping[str, Any], out: Path) -> dict[str, Any]:
    columns = options["columns"]
    return {
        "file": os.path.relpath(options["catalog"], out.parent),
        "id": options["id_column"],
        **{role: options[role] for role in _ROLES if options[role]},
        "columns": columns if columns == "all" else tuple(columns.split(",")),
    }


def _images(options: Mapping[str, Any]) -> dict[str, Any]:
    asked = {
        "bands": options["bands"] and options["bands"].split(","),
        "unit": options["images_unit"],
        "pixel_scale_arcsec": options["pixel_scale"],
    }
    table = {"kind": "images", "flux": options["images_dataset"]}
    return table | {key: value for key, value in asked.items() if value}


def _spectra(options: Mapping[str, Any]) -> dict[str, Any]:
    asked = {"ivar": options["ivar"], "unit": options["spectra_unit"]}
    table = {
        "kind": "spectra",
        "flux": options["spectra_dataset"],
        "wavelength": options["wavelength"],
    }
    return table | {key: value for key, value in asked.items() if value}


_KINDS = {"images": _images, "spectra": _spectra}


def _place(
    template: Template, index: Path, out: Path, options: Mapping[str, Any]
) -> dict[str, Any]:
    if template.columns:
        return {"files": index.name}
    place: dict[str, Any] = {"file": os.path.relpath(template.path, out.parent)}
    if options["ids_dataset"]:
        place["id"] = options["ids_dataset"]
    if options["same_order"]:
        place["same_order"] = True
    return place


def _record(
    name: str, inputs: Mapping[str, Any], indexed: Indexed | None, n: int
) -> dict[str, Any]:
    present = inputs[name].present
    return {
        "input": name,
        "objects": n,
        "have it": n if present is None else int(present.sum()),
        "missing": indexed.missing if indexed else [],
        "orphans": indexed.orphans if indexed else [],
        "share a file": indexed.shared if indexed else 0,
    }
