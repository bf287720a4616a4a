"""`fmb data plot`: histograms of one survey, or of two beside each other."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fmb.cli import open_source, reader_option, set_option
from fmb.terminal import echo_json, own_style, print_table, progress_line, say

if TYPE_CHECKING:
    from fmb_viz.survey.measured_columns import Measured

__all__ = ["command"]

FORMATS = ("png", "pdf", "svg")


@click.command()
@click.argument("source")
@click.argument("other", metavar="[SOURCE2]", required=False)
@reader_option
@set_option
@click.option(
    "--set2", "other_settings", multiple=True, metavar="data.KEY=VALUE", help="--set of SOURCE2."
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    default=2000,
    help="Objects whose pixels are read, drawn by id [2000].",
)
@click.option("--out", metavar="FILE", help="The figure: .png, .pdf or .svg [NAME-columns.png].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    source: str,
    other: str | None,
    reader: str | None,
    settings: tuple[str, ...],
    other_settings: tuple[str, ...],
    limit: int,
    out: str | None,
    as_json: bool,
) -> None:
    """Draw what SOURCE measured: redshift, magnitude, S/N, flux of each band.

    With SOURCE2 both surveys are drawn over each other, and the scale and offset are printed with
    which each number of SOURCE2 gets the median and the spread that it has in SOURCE.
    """
    from fmb import ConfigError
    from fmb_viz.survey.affine import affine_onto

    if other_settings and other is None:
        raise ConfigError("--set2 is of SOURCE2: name one, or write --set")
    ending = Path(out).suffix[1:] if out else "png"
    if ending not in FORMATS:
        raise ConfigError(f"--out {out}: a figure ends in .{', .'.join(FORMATS)}")
    surveys = _measured(source, reader, settings, limit)
    if other is not None:
        (second,) = _measured(other, None, other_settings, limit).items()
        surveys[second[0] if second[0] not in surveys else f"{second[0]} ({other})"] = second[1]
    first, *rest = surveys.values()
    if not any(surveys.values()):
        raise ConfigError(f"{source}: nothing to draw: no role of numbers, no flux")
    affines = {
        name: affine_onto(first[name].values, columns[name].values)
        for columns in rest
        for name in columns
        if name in first
    }
    path = Path(out or f"{'-'.join(map(_fit, surveys))}-columns.png")
    _save(surveys, affines, path)
    rows = _rows(surveys, affines)
    if as_json:
        echo_json({"columns": rows, "figure": str(path)})
        return
    shown = [{k: _digits(v) for k, v in row.items()} for row in rows]
    print_table(shown, "nothing", more="the same with --json", keep=3 if rest else 4)
    click.echo(str(path))
    if rest and not affines:
        say("nothing is called alike in both surveys, so nothing is matched")


def _measured(
    source: str, reader: str | None, settings: tuple[str, ...], limit: int
) -> dict[str, dict[str, "Measured"]]:
    from fmb_viz.survey.measured_columns import measured_columns

    dataset = open_source(source, reader, settings)
    name = str(dataset.identity.get("name") or Path(source).stem)
    told = f"measure {name}"
    return {
        name: measured_columns(dataset, limit, lambda done, n: progress_line(told, done, n)),
    }


def _fit(name: str) -> str:
    """A name fit for a file's."""
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in name)[:60].strip(".-") or "x"


def _save(surveys: Any, affines: Any, path: Path) -> None:
    import io

    from fmb.store import publish

    with own_style({"svg.hashsalt": path.name}):
        from fmb_viz.survey.histograms import draw_histograms

        body = io.BytesIO()
        draw_histograms(surveys, affines).savefig(body, format=path.suffix[1:], dpi=150)
    publish(path, body.getvalue())


def _rows(
    surveys: dict[str, dict[str, "Measured"]], affines: dict[str, tuple[float, float]]
) -> list[dict[str, Any]]:
    """A row a number: objects, median and spread in each survey, and what matches them."""
    from fmb_viz.survey.affine import middle_and_spread

    rows = []
    names = dict.fromkeys(name for columns in surveys.values() for name in columns)
    for name in names:
        row: dict[str, Any] = {"column": name}
        if len(surveys) == 2:
            row["scale"], row["offset"] = affines.get(name, (None, None))
        for number, columns in enumerate(surveys.values(), 1):
            mark = "" if number == 1 else f" {number}"
            one = columns.get(name)
            middle, spread = (None, None) if one is None else middle_and_spread(one.values)
            row[f"median{mark}"], row[f"spread{mark}"] = middle, spread
            row[f"objects{mark}"] = 0 if one is None else len(one.values)
            row[f"unit{mark}"] = "" if one is None else one.unit
            row[f"from{mark}"] = "" if one is None else one.source
        rows.append(row)
    return rows


def _digits(value: Any) -> str:
    if value is None or value != value:  # NaN: nothing matches them
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
