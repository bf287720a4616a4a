"""What `fmb data index` does with its options: the survey they describe, written and tried."""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fmb import Array, ConfigError, DataError, FailedError, InputInfo, build, merge
from fmb_surveys.data_settings import data_settings
from fmb_surveys.files.indexing import Indexed, index_files, index_names
from fmb_surveys.files.reader import open_survey
from fmb_surveys.files.row_index import write_index
from fmb_surveys.files.stores.object_files import told_by_first
from fmb_surveys.files.stores.object_lengths import lengths
from fmb_surveys.files.survey_toml import CatalogSource, Survey, build_survey, write_survey_file
from fmb_surveys.files.templates import Template
from fmb_surveys.files.units import refuse_contradiction
from fmb_surveys.trees.found import readable_unit

__all__ = ["make_survey", "record"]

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
    many = [template for template in templates.values() if template.fields]
    ids, indexed = _indexed(many, templates, out, options)
    inputs = {kind: _input(kind, t, indexed, options) for kind, t in templates.items()}
    index = out.with_suffix(".index.parquet")
    trial = index.with_name(f".{out.stem}.{os.getpid()}.part.parquet")
    try:
        if indexed:
            write_index(trial, ids, _by_band(indexed, inputs))
        dataset = open_survey(_survey(templates, inputs, trial, out, options), out)
        # The survey first: where the disk is full, both files stay as they were.
        write_survey_file(out, _survey(templates, inputs, index, out, options))
        if indexed:
            os.replace(trial, index)
    except OSError as error:
        raise FailedError(f"{out}: cannot be written: {error.strerror}") from None
    finally:
        trial.unlink(missing_ok=True)
    return [record(n, info, indexed.get(n), len(dataset)) for n, info in dataset.inputs.items()]


def _indexed(
    many: list[Template], templates: Mapping[str, Template], out: Path, options: Mapping[str, Any]
) -> tuple[Array, dict[str, Indexed]]:
    """Ids, and the files of each input that has one an object."""
    bands = options["bands"].split(",") if options["bands"] and _bands_apart(templates) else None
    if not options["catalog"]:
        if len(many) < len(templates) or options["id_column"]:
            raise ConfigError("fmb data index: name the objects with --catalog FILE --id COLUMN")
        ids, found = index_names(many, bands)
    else:
        if not options["id_column"]:
            raise ConfigError("fmb data index: name the column of ids with --id COLUMN")
        source = build(CatalogSource, _catalog(options, out, out), "catalog")
        ids, found = index_files(source, Path(options["catalog"]), many, bands)
    return ids, {item.name: item for item in found}


def _bands_apart(templates: Mapping[str, Template]) -> bool:
    return "images" in templates and "band" in templates["images"].fields


def _input(
    kind: str, template: Template, indexed: Mapping[str, Indexed], options: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Keys of an input: what its files say, then what the user does, and lines that tell of it."""
    asked, said = _ASKED[kind](options), _said(template.name, options)
    told, lines = _told(kind, template, indexed, options)
    told = _without_rivals(told, {**asked, **said})
    if kind == "images" and "" not in indexed.get(template.name, _ALL).files:
        asked.pop("bands", None)  # they chose among the files
    scale, own = told.get("pixel_scale_arcsec"), asked.get("pixel_scale_arcsec")
    if scale and own and not math.isclose(scale, own, rel_tol=1e-3):
        raise DataError(
            f"{template.path}: the pixel scale is {scale:g} arcsec by what the files say,"
            f" {own:g} by --pixel-scale; correct the one that is wrong"
        )
    if kind == "spectra" and "unit" in told and (unit := readable_unit(asked.get("unit", ""))):
        refuse_contradiction(f"{template.path}: flux", told["unit"], unit, "--spectra-unit")
    default = {key: value for key, value in _DEFAULTS[kind].items() if key not in told}
    if "loglam" in told or "loglam" in asked:
        default.pop("wavelength", None)
    made = {"kind": kind, **default, **told, **asked}
    if kind == "spectra" and template.name in indexed and "pixels" not in said:
        files = indexed[template.name].there[""]
        found = lengths(files, said.get("flux", made["flux"]))
        if len(found) > 1:
            made["pixels"] = max(found)
            lines.append(f"{len(files)} files of {min(found)} to {max(found)} pixels")
    return made, [f"{template.name}: {line}" for line in lines]


def _said(name: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Keys of an input by --set; what is no table is refused with the survey."""
    inputs = data_settings(options["settings"]).get("inputs")
    said = inputs.get(name) if isinstance(inputs, Mapping) else None
    return said if isinstance(said, Mapping) else {}


def _told(
    kind: str, template: Template, indexed: Mapping[str, Indexed], options: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """What the files of an input say; nothing where one has all objects, or in another format."""
    if template.name not in indexed:
        return {}, []
    per_band = indexed[template.name].there
    if kind == "spectra" and "" not in per_band:
        raise DataError(f"{template.path}: {{band}} is no column; spectra have no bands")
    if "format" in _said(template.name, options):
        return {}, []
    skip = bool(data_settings(options["settings"]).get("skip_bad"))
    says = {band: told_by_first(files, kind, skip) for band, files in per_band.items()}
    told, lines = next(iter(says.values()))
    if "" in says:
        return told, [*lines]
    together, line = _told_of_bands(template, says)
    return together, [*lines, line]


def _without_rivals(told: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """What files say, but for what makes no sense beside what the user says."""
    rivals = [other for key, others in _RIVALS.items() if key in said for other in others]
    return {key: value for key, value in told.items() if key not in rivals}


def _told_of_bands(
    template: Template, says: Mapping[str, tuple[dict[str, Any], tuple[str, ...]]]
) -> tuple[dict[str, Any], str]:
    """What files of one band each say together."""
    names = {band: told.get("bands", [band]) for band, (told, _) in says.items()}
    from_header = [len(own) == 1 and own != ["grey"] for own in names.values()]
    bands = [own[0] for own in names.values()] if all(from_header) else list(names)
    if len(set(bands)) < len(bands):
        raise DataError(f"{template.path}: files of two bands say {bands[0]!r}; set bands = [...]")
    told = {**next(iter(says.values()))[0], "bands": bands}
    for band, (other, _) in says.items():
        for key in ("pixel_scale_arcsec", "unit"):
            if other.get(key) != told.get(key):
                raise DataError(
                    f"{template.path}: files of band {band!r} say {key} = {other.get(key)}, others"
                    f" {told.get(key)}; make them an input each"
                )
    where = "FILTER of the files" if all(from_header) and bands != list(names) else "their names"
    return told, f"bands {', '.join(bands)}: one a file, by {where}, in the order of their names"


def _by_band(
    indexed: Mapping[str, Indexed], inputs: Mapping[str, tuple[dict[str, Any], list[str]]]
) -> dict[str, dict[str, list[str | None]]]:
    """Input -> band as the survey calls it, "" where a file has all -> the file of each object."""
    bands = {kind: keys.get("bands", ()) for kind, (keys, _) in inputs.items()}
    made = {}
    for name, item in indexed.items():
        own = bands["images"] if "" not in item.files else [""]
        made[name] = dict(zip(own, item.files.values(), strict=True))
    return made


def _survey(
    templates: Mapping[str, Template],
    inputs: Mapping[str, tuple[dict[str, Any], list[str]]],
    index: Path,
    out: Path,
    options: Mapping[str, Any],
) -> Survey:
    tables = {
        template.name: inputs[kind][0] | _place(template, index, out, options)
        for kind, template in templates.items()
    }
    catalog = Path(options["catalog"] or out.absolute().parent)
    described = {
        "name": options["name"] or catalog.stem,
        "catalog": _catalog(options, index, out),
        "inputs": tables,
        "described": [line for _, lines in inputs.values() for line in lines],
    }
    return build_survey(merge(described, data_settings(options["settings"])), out)


def _catalog(options: Mapping[str, Any], index: Path, out: Path) -> dict[str, Any]:
    if not options["catalog"]:
        return {"file": index.name, "id": "object_id"}
    columns = options["columns"]
    return {
        "file": os.path.relpath(options["catalog"], out.parent),
        "id": options["id_column"],
        **{role: options[role] for role in _ROLES if options[role]},
        "columns": columns if columns == "all" else tuple(columns.split(",")),
    }


def _images(options: Mapping[str, Any]) -> dict[str, Any]:
    asked = {
        "flux": options["images_dataset"],
        "bands": options["bands"] and options["bands"].split(","),
        "unit": options["images_unit"],
        "pixel_scale_arcsec": options["pixel_scale"],
    }
    return {key: value for key, value in asked.items() if value}


def _spectra(options: Mapping[str, Any]) -> dict[str, Any]:
    asked = {
        "flux": options["spectra_dataset"],
        "wavelength": options["wavelength"],
        "loglam": options["loglam"],
        "ivar": options["ivar"],
        "unit": options["spectra_unit"],
    }
    return {key: value for key, value in asked.items() if value}


_ASKED = {"images": _images, "spectra": _spectra}
_RIVALS = {
    "wavelength": ("loglam",),
    "error": ("ivar",),
    "ivar": ("error",),
    "mask": ("mask_bits",),
    "good": ("mask", "mask_bits"),
}
_DEFAULTS = {
    "images": {"flux": "image"},
    "spectra": {"flux": "flux", "wavelength": "wavelength"},
}
_ALL = Indexed("", {"": []}, [], [], 0)
"""An input whose one file has all bands of all objects."""


def _place(
    template: Template, index: Path, out: Path, options: Mapping[str, Any]
) -> dict[str, Any]:
    if template.fields:
        return {"files": index.name}
    place: dict[str, Any] = {"file": os.path.relpath(template.path, out.parent)}
    if options["ids_dataset"]:
        place["id"] = options["ids_dataset"]
    if options["same_order"]:
        place["same_order"] = True
    return place


def record(name: str, info: InputInfo, indexed: Indexed | None, n: int) -> dict[str, Any]:
    """What there is of an input, in numbers and names, as the command prints it.

    Args:
        name: of the input.
        info: of what was read.
        indexed: its files; None where one file or tree has all.
        n: objects of the survey.
    """
    return {
        "input": name,
        "objects": n,
        "have it": n if info.present is None else int(info.present.sum()),
        "missing": indexed.missing if indexed else [],
        "orphans": indexed.orphans if indexed else [],
        "share a file": indexed.shared if indexed else 0,
        "lack a band": indexed.lacking if indexed else 0,
    }
