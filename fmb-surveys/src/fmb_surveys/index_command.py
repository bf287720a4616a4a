"""`fmb data index`: a survey.toml for a catalogue and its files."""

from pathlib import Path
from typing import Any

import click

from fmb.terminal import echo_json, print_table, progress_line, stage

__all__ = ["command"]


@click.command(
    epilog="Example: fmb data index --catalog cat.parquet --id TARGETID --ra RA --dec DEC"
    " --images 'cut/{BRICKID}/{TARGETID}.h5' --bands G,R,I,Z --images-unit nmgy"
    " --pixel-scale 0.262 --out survey.toml",
)
@click.argument("tree", required=False)
@click.option("--catalog", metavar="FILE", help="Parquet, CSV, FITS, ECSV or HDF5.")
@click.option("--id", "id_column", metavar="COLUMN", help="Ids of the objects.")
@click.option("--ra", metavar="COLUMN", help="Right ascension in degrees.")
@click.option("--dec", metavar="COLUMN", help="Declination in degrees.")
@click.option("--redshift", metavar="COLUMN", help="Redshift, where known.")
@click.option("--label", metavar="COLUMN", help="Known class, for looking only.")
@click.option("--group", metavar="COLUMN", help="Repeats of one source share its value.")
@click.option("--columns", metavar="all|A,B", help="Further columns to keep [all].", default="all")
@click.option("--images", metavar="[NAME=]PATH", help="Files, as 'cut/{TARGETID}.h5', or one file.")
@click.option("--images-dataset", metavar="DATASET", help="Flux in them [image].")
@click.option("--bands", metavar="A,B", help="Bands of the images, in order.")
@click.option("--images-unit", metavar="UNIT", help="Of the images; 'display' for pictures.")
@click.option("--pixel-scale", metavar="ARCSEC", type=float, help="Of the images.")
@click.option("--spectra", metavar="[NAME=]PATH", help="As --images.")
@click.option("--spectra-dataset", metavar="DATASET", help="Flux in them [flux].")
@click.option("--wavelength", metavar="DATASET", help="Their grid [wavelength].")
@click.option("--loglam", metavar="DATASET", help="Their grid, as log10 of Angstrom.")
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
@click.option("--reader", metavar="NAME", help="Reader of TREE, where two would do.")
@click.option("--name", help="Of the survey [name of the catalogue].")
@click.option("--out", required=True, metavar="FILE", help="The survey.toml to write.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(tree: str | None, out: str, overwrite: bool, as_json: bool, **options: Any) -> None:
    """Write a survey.toml for a catalogue with one file an object, or one for all.

    {COLUMN} in a path is a value of the catalogue. Where it has no column `band`, {band} is what
    the names of files have there, one file a band. Without --catalog, {id} in the names is the id.

    Says which objects lack a file and which files belong to no object. What has no option of its
    own is set by --set KEY=VALUE, or by editing the file that is written.

    With TREE, a folder or file that `fmb run --data` takes as it is, writes what its reader
    understands of it.
    """
    # Imported here: the help text needs none of it.
    from fmb import ConfigError
    from fmb_surveys.index import make_survey, record
    from fmb_surveys.index_tree import describe_tree

    target = Path(out)
    if target.exists() and not overwrite:
        raise ConfigError(f"{target}: is there already; pass --overwrite to replace it")
    with stage(progress_line, "look for files"):
        if tree:
            n, inputs = describe_tree(tree, target, options)
            rows = [record(name, info, None, n) for name, info in inputs.items()]
        else:
            rows = make_survey(target, options)
    if as_json:
        # Ids as text, which no reader of JSON rounds.
        echo_json([{**row, "missing": list(map(str, row["missing"]))} for row in rows])
        return
    for row in rows:
        _name_some(f"{row['input']}: no file for", row["missing"])
        _name_some(f"{row['input']}: no object for", row["orphans"])
    counts = [{k: len(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows]
    print_table(counts, "no inputs", more="the same with --overwrite --json", keep=1)
    click.echo(f"wrote {target}")


def _name_some(what: str, names: list[Any], shown: int = 5) -> None:
    if names:
        more = f" and {len(names) - shown} more" if len(names) > shown else ""
        click.echo(f"{what} {', '.join(map(str, names[:shown]))}{more}", err=True)
