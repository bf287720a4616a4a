"""`fmb data`: describe, check and index survey data."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fmb.cli.terminal import progress_line

if TYPE_CHECKING:
    from fmb.contract.dataset import Dataset
    from fmb.contract.inputs import InputInfo

__all__ = ["command"]

_source = click.argument("source")
_reader = click.option("--reader", metavar="NAME", help="Reader, where two would do.")
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """Describe, check and index survey data."""


def _open(source: str, reader: str | None) -> "Dataset":
    # Imported here: the help text needs none of it.
    from fmb.datasets.opening import open_dataset
    from fmb.store.workspace import workspace

    return open_dataset(source, reader=reader, cache=workspace() / "data")


@command.command("show")
@_source
@_reader
@_json
def show(source: str, reader: str | None, as_json: bool) -> None:
    """Say what SOURCE holds: a survey.toml, its folder or the name of a dataset."""
    from fmb.cli.terminal import echo_json, table_text

    dataset = _open(source, reader)
    inputs = [_describe(name, info, len(dataset)) for name, info in dataset.inputs.items()]
    units = dataset.catalog.attrs.get("units", {})
    columns = [
        {"column": str(name), "type": str(kind), "unit": units.get(name, "")}
        for name, kind in dataset.catalog.dtypes.items()
    ]
    if as_json:
        echo_json(
            {
                "name": dataset.identity.get("name", source),
                "objects": len(dataset),
                "ids": {"type": str(dataset.ids.dtype), "first": str(dataset.ids[0])},
                "inputs": inputs,
                "columns": columns,
                "warnings": list(dataset.warnings),
                "identity": dict(dataset.identity),
            }
        )
        return
    click.echo(f"{dataset.identity.get('name', source)}: {len(dataset):,} objects")
    click.echo(f"ids: {dataset.ids.dtype}, such as {dataset.ids[0]}\n")
    click.echo(table_text(inputs))
    click.echo(f"\n{table_text(columns) or 'no catalogue columns'}")
    for line in dataset.warnings:
        click.echo(f"\nwarning: {line}")


def _describe(name: str, info: "InputInfo", n: int) -> dict[str, Any]:
    have = n if info.present is None else int(info.present.sum())
    row = {
        "input": name,
        "kind": info.kind,
        "objects": have,
        "pixels": " x ".join(str(size) for size in info.shape),
        "unit": info.unit,
        "calibrated": "yes" if info.calibrated else "no",
        "bands": ", ".join(info.bands),
        "scale": "" if info.pixel_scale_arcsec is None else f'{info.pixel_scale_arcsec:g}"/pixel',
    }
    if info.wavelength_aa is None:
        return {**row, "wavelengths": ""}
    return {**row, "wavelengths": "{:.0f}-{:.0f} Angstrom".format(*info.wavelength_aa)}


@command.command("validate")
@_source
@_reader
@_json
@click.pass_context
def validate(ctx: click.Context, source: str, reader: str | None, as_json: bool) -> None:
    """Read all of SOURCE and name what is wrong with which object.

    Exits with 1 when some input of an object cannot be used, with 0 when there are warnings only.
    """
    from fmb.cli.terminal import echo_json
    from fmb.datasets.quality import check, summary

    dataset = _open(source, reader)
    found = check(dataset, progress=lambda done, total: progress_line("check", done, total))
    if as_json:
        echo_json([finding.as_dict() for finding in found])
    else:
        for line in dataset.warnings:
            click.echo(f"warning: {line}")
        for line in summary(found):
            click.echo(line)
        objects = len({finding.object_id for finding in found})
        click.echo(f"{len(dataset):,} objects read, {objects:,} with findings")
    if any(finding.severity == "error" for finding in found):
        ctx.exit(1)


@command.command(
    "index",
    epilog="Example: fmb data index --catalog cat.parquet --id TARGETID --ra RA --dec DEC"
    " --images 'cut/{BRICKID}/{TARGETID}.h5' --bands G,R,I,Z --images-unit nmgy"
    " --pixel-scale 0.262 --out survey.toml",
)
@click.option("--catalog", required=True, metavar="FILE", help="Parquet, CSV, FITS, ECSV or HDF5.")
@click.option("--id", "id_column", required=True, metavar="COLUMN", help="Ids of the objects.")
@click.option("--ra", metavar="COLUMN", help="Right ascension in degrees.")
@click.option("--dec", metavar="COLUMN", help="Declination in degrees.")
@click.option("--redshift", metavar="COLUMN", help="Redshift, where known.")
@click.option("--label", metavar="COLUMN", help="Known class, for looking only.")
@click.option("--group", metavar="COLUMN", help="Repeats of one source share its value.")
@click.option("--columns", metavar="all|A,B", help="Further columns to keep [all].", default="all")
@click.option("--images", metavar="[NAME=]PATH", help="Files, as 'cut/{TARGETID}.h5', or one file.")
@click.option("--images-dataset", metavar="DATASET", default="image", help="Flux in them [image].")
@click.option("--bands", metavar="A,B", help="Bands of the images, in order.")
@click.option("--images-unit", metavar="UNIT", help="Of the images; 'display' for pictures.")
@click.option("--pixel-scale", metavar="ARCSEC", type=float, help="Of the images.")
@click.option("--spectra", metavar="[NAME=]PATH", help="As --images.")
@click.option("--spectra-dataset", metavar="DATASET", default="flux", help="Flux in them [flux].")
@click.option(
    "--wavelength", metavar="DATASET", default="wavelength", help="Their grid [wavelength]."
)
@click.option("--ivar", metavar="DATASET", help="Inverse variance of the spectra.")
@click.option("--spectra-unit", metavar="UNIT", help="Of the spectra; 'counts' if uncalibrated.")
@click.option("--ids-dataset", metavar="DATASET", help="Ids in a file that holds all objects.")
@click.option("--same-order", is_flag=True, help="Its rows are those of the catalogue.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any key: inputs.images.mask=mask.",
)
@click.option("--name", help="Of the survey [name of the catalogue].")
@click.option("--out", required=True, metavar="FILE", help="The survey.toml to write.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@_json
def index(out: str, overwrite: bool, as_json: bool, **options: Any) -> None:
    """Write a survey.toml for a catalogue with one file an object, or one for all.

    Says which objects lack a file and which files belong to no object. What has no option of its
    own is set by --set KEY=VALUE, or by editing the file that is written.
    """
    from fmb.cli.data_index import make_survey
    from fmb.cli.terminal import echo_json, table_text
    from fmb.contract.errors import ConfigError

    target = Path(out)
    if target.exists() and not overwrite:
        raise ConfigError(f"{target}: is there already; pass --overwrite to replace it")
    rows = make_survey(target, options)
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        _name_some(f"{row['input']}: no file for", row["missing"])
        _name_some(f"{row['input']}: no object for", row["orphans"])
    counts = [{k: len(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows]
    click.echo(table_text(counts))
    click.echo(f"wrote {target}")


def _name_some(what: str, names: list[Any], shown: int = 5) -> None:
    if names:
        more = f" and {len(names) - shown} more" if len(names) > shown else ""
        click.echo(f"{what} {', '.join(map(str, names[:shown]))}{more}", err=True)
