"""`fmb data show`: what a survey holds, or one object of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fmb.cli.survey_source import open_source, reader_option, set_option

if TYPE_CHECKING:
    from fmb.contract.dataset import Dataset
    from fmb.contract.inputs import InputInfo

__all__ = ["show"]


@click.command("show", context_settings={"ignore_unknown_options": True})
@click.argument("source")
@click.argument("object_id", metavar="[ID]", required=False, type=click.UNPROCESSED)
@reader_option
@set_option
@click.option("--out", metavar="FILE", help="Of the figure of ID: .png, .pdf or .svg.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(
    source: str,
    object_id: str | None,
    reader: str | None,
    settings: tuple[str, ...],
    out: str | None,
    as_json: bool,
) -> None:
    """Say what SOURCE holds: a survey.toml, a folder or file of data, or the name of a dataset.

    With ID, which may be a negative number, print the catalogue row of that object, which inputs it
    has, and draw them: into NAME-ID.png of the current folder, or --out.
    """
    if (object_id or "").startswith("--"):  # ids may start with one hyphen, so click lets all pass
        raise click.UsageError(f"no option is called {object_id}")
    if object_id is None and out:
        raise click.UsageError("--out is the figure of an object: give its ID too")
    dataset = open_source(source, reader, settings, also=() if object_id is None else ("plot",))
    if object_id is None:
        _show_survey(dataset, source, as_json)
    else:
        _show_object(dataset, source, object_id, settings, out, as_json)


def _show_object(
    dataset: "Dataset",
    source: str,
    object_id: str,
    settings: tuple[str, ...],
    out: str | None,
    as_json: bool,
) -> None:
    from fmb.datasets.selection import Selection
    from fmb.files.ids import as_ids, find_ids
    from fmb.store.folder_names import folder_name
    from fmb.terminal.printing import echo_json, say
    from fmb.terminal.values import one_line, value_text

    name = str(dataset.identity.get("name", source))
    rows = find_ids(as_ids([object_id], "the id of an object"), dataset.ids, source)
    one = Selection(dataset, rows, dataset.identity)
    has = {key: bool(info.have(1)[0]) for key, info in one.inputs.items()}
    path = Path(out or f"{folder_name(f'{name}-{object_id}', 'object')}.png")
    drawn = _draw(one, name, settings, path)
    row = {str(c): one.catalog[c].iloc[0] for c in one.catalog if c != "object_id"}
    if as_json:
        told = {"object_id": str(one.ids[0]), "catalog": row, "inputs": has}
        echo_json({**told, "figures": list(map(str, drawn))})
        return
    click.echo(f"object {one_line(str(one.ids[0]))} of {name}")
    units = one.catalog.attrs.get("units", {})
    for column, value in row.items():
        if text := value_text(value):
            click.echo(f"  {one_line(column)} = {text} {units.get(column, '')}".rstrip())
    for key, there in has.items():
        click.echo(f"  {key}: {'observed' if there else 'not observed'}")
    for file in drawn:
        click.echo(str(file))
    if not drawn:
        say("no figure: no installed plugin draws objects of a survey")


def _draw(one: "Dataset", title: str, settings: tuple[str, ...], path: Path) -> list[Path]:
    """The figures of an object as files: `path`, for a second one its name before the ending."""
    from fmb.contract.plot import PlotData
    from fmb.messages.errors import ConfigError
    from fmb.messages.notes import Note
    from fmb.plan.figures import object_figures
    from fmb.plugins.loading import load_plugins
    from fmb.request.options import options_request
    from fmb.steps.plot import FORMATS, figure_files
    from fmb.store.atomic import publish

    ending = path.suffix[1:]
    if ending not in FORMATS:
        raise ConfigError(f"--out {path}: a figure ends in .{', .'.join(FORMATS)}")
    notes = [Note("data", line) for line in one.warnings]
    files = []
    plots = object_figures(options_request({"set": settings}), load_plugins().registry)
    for number, plot in enumerate(plots):
        data = PlotData(title, notes, (), survey=one)
        file = path.with_name(f"{path.stem}.{plot.label}{path.suffix}") if number else path
        publish(file, figure_files(plot, data, [ending], title)[ending])
        files.append(file)
    return files


def _show_survey(dataset: "Dataset", source: str, as_json: bool) -> None:
    from fmb.contract.dataset import Described
    from fmb.terminal.printing import echo_folded, echo_json, print_table
    from fmb.terminal.values import counted

    inputs = [_describe(name, info, len(dataset)) for name, info in dataset.inputs.items()]
    units = dataset.catalog.attrs.get("units", {})
    columns = [
        {"column": str(name), "type": str(kind), "unit": units.get(name, "")}
        for name, kind in dataset.catalog.dtypes.items()
    ]
    described = list(dataset.described) if isinstance(dataset, Described) else []
    if as_json:
        echo_json(
            {
                "name": dataset.identity.get("name", source),
                "objects": len(dataset),
                "ids": {"type": str(dataset.ids.dtype), "first": str(dataset.ids[0])},
                "inputs": inputs,
                "columns": columns,
                "described": described,
                "warnings": list(dataset.warnings),
                "identity": dict(dataset.identity),
            }
        )
        return
    click.echo(f"{dataset.identity.get('name', source)}: {counted(len(dataset))}")
    click.echo(f"ids: {dataset.ids.dtype}, such as {dataset.ids[0]}\n")
    more = f"fmb data show {source} --json"
    print_table(inputs, "no inputs", more=more, keep=len(inputs[0]) if inputs else 0)
    click.echo("")
    print_table(columns, "no catalogue columns", more=more, keep=3)
    if described:
        click.echo("\ntaken from the files:")
        for line in described:
            echo_folded(f"  {line}", indent="    ")
    for line in dataset.warnings:
        click.echo("")
        echo_folded(f"warning: {line}")


def _describe(name: str, info: "InputInfo", n: int) -> dict[str, Any]:
    have = int(info.have(n).sum())
    row = {
        "input": name,
        "kind": info.kind,
        "objects": have,
        "pixels": " x ".join(str(size) for size in info.shape if info.kind != "columns"),
        "unit": info.unit,
        "calibrated": "yes" if info.calibrated else "no",
        "bands": ", ".join(info.bands),
        "scale": "" if info.pixel_scale_arcsec is None else f'{info.pixel_scale_arcsec:g}"/pixel',
    }
    if info.wavelength_aa is None:
        return {**row, "wavelengths": ""}
    return {**row, "wavelengths": "{:.0f}-{:.0f} Angstrom".format(*info.wavelength_aa)}
