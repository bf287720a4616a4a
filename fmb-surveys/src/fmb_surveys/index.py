"""What `fmb data index` does with its options: the survey they describe, written and tried."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fmb import ConfigError, FailedError, InputInfo, build, merge, parse_setting
from fmb_surveys.files.indexing import Indexed, Template, index_files, write_index
from fmb_surveys.files.reader import open_survey
from fmb_surveys.files.survey_toml import CatalogSource, Survey, build_survey, write_survey_file

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
            nothing is left behind and what was there is as before.
    """
    templates = {
        kind: Template(options[kind], kind) for kind in ("images", "spectra") if options[kind]
    }
    if not templates:
        raise ConfigError("fmb data index: name files with --images, --spectra or both")
    source = build(CatalogSource, _catalog(options, out), "catalog")
    many = [template for template in templates.values() if template.columns]
    ids, indexed = index_files(source, Path(options["catalog"]), many)
    index = out.with_suffix(".index.parquet")
    trial = index.with_name(f".{out.stem}.{os.getpid()}.part.parquet")
    try:
        if indexed:
            write_index(trial, ids, indexed)
        dataset = open_survey(_survey(templates, trial, out, options), out)
        # The survey first: where the disk is full, both files stay as they were.
        write_survey_file(out, _survey(templates, index, out, options))
        if indexed:
            os.replace(trial, index)
    except OSError as error:
        raise FailedError(f"{out}: cannot be written: {error.strerror}") from None
    finally:
        trial.unlink(missing_ok=True)
    by_name = {item.name: item for item in indexed}
    return [_record(n, info, by_name.get(n), len(dataset)) for n, info in dataset.inputs.items()]


def _survey(
    templates: Mapping[str, Template], index: Path, out: Path, options: Mapping[str, Any]
) -> Survey:
    tables = {
        template.name: _KINDS[kind](options) | _place(template, index, out, options)
        for kind, template in templates.items()
    }
    described = {
        "name": options["name"] or Path(options["catalog"]).stem,
        "catalog": _catalog(options, out),
        "inputs": tables,
    }
    return build_survey(merge(described, *map(parse_setting, options["settings"])), out)


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
    }
    return table | _grid(options) | {key: value for key, value in asked.items() if value}


def _grid(options: Mapping[str, Any]) -> dict[str, str]:
    """What is said of wavelengths; a dataset called so where nothing is."""
    said = {key: options[key] for key in ("wavelength", "loglam") if options[key]}
    return said or {"wavelength": "wavelength"}


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


def _record(name: str, info: InputInfo, indexed: Indexed | None, n: int) -> dict[str, Any]:
    return {
        "input": name,
        "objects": n,
        "have it": n if info.present is None else int(info.present.sum()),
        "missing": indexed.missing if indexed else [],
        "orphans": indexed.orphans if indexed else [],
        "share a file": indexed.shared if indexed else 0,
    }
