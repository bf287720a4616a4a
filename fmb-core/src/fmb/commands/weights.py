"""`fmb weights`: what can be loaded, where it comes from and whether it is what was accepted."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fmb.terminal.progress import stage

if TYPE_CHECKING:
    from fmb.contract.config import Config
    from fmb.contract.model import ModelSpec
    from fmb.plugins.registry import Component

__all__ = ["command"]

_SETTINGS = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Option of the model that shapes what is imported, as in the run.",
)


_LISTED = ("model", "weights", "state", "summary", "from")
"""What `fmb weights list` tells of each, the last left out first where it does not fit."""


_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """List, download, verify and convert model weights."""


@command.command("list")
@click.argument("model", required=False)
@_JSON
def list_weights(model: str | None, as_json: bool) -> None:
    """List declared, downloaded and imported weights and their state."""
    from fmb.contract.model import ModelSpec
    from fmb.plugins.loading import load_plugins
    from fmb.store.workspace import workspace
    from fmb.terminal.printing import echo_json, print_table
    from fmb.weights.listing import known_weights

    registry = load_plugins().registry
    components = [registry.get(ModelSpec, model)] if model else list(registry.all(ModelSpec))
    rows = [row for c in components for row in known_weights(c, workspace())]
    if as_json:
        echo_json(rows)
    else:
        more = f"fmb weights list {model} --json" if model else "fmb weights list --json"
        told = [{key: row[key] for key in _LISTED} for row in rows]
        print_table(told, "no installed model declares weights", more=more, keep=3, prose="summary")


@command.command("verify")
@click.argument("model")
@click.argument("reference")
@click.option("--accept", is_flag=True, help="Write the digests into weights.lock.")
@_SETTINGS
@_JSON
def verify_weights(
    model: str, reference: str, accept: bool, settings: tuple[str, ...], as_json: bool
) -> None:
    """Digest the weights REFERENCE of MODEL anew and compare with weights.lock.

    REFERENCE is a name the model declares, a folder, a checkpoint file or hf:OWNER/NAME@REVISION.
    """
    _report(model, reference, settings, accept=accept, as_json=as_json)


def _report(
    model: str,
    reference: str,
    settings: tuple[str, ...],
    *,
    accept: bool = False,
    as_json: bool,
) -> None:
    from fmb.contract.model import ModelSpec
    from fmb.plugins.loading import load_plugins
    from fmb.store.workspace import workspace
    from fmb.terminal.printing import echo_folded, echo_json, progress_line
    from fmb.terminal.width import fold, printable, screen_width
    from fmb.weights.lock import Lock
    from fmb.weights.resolve import resolve_weights

    component = load_plugins().registry.get(ModelSpec, model)
    config = _config(component, settings)
    with stage(progress_line, f"digest {Path(reference).name}"):
        found = resolve_weights(
            component, reference, config, seed=0, workspace=workspace(), fresh=True
        )
    lock = Lock(workspace())
    if accept:
        lock.accept(found)
    state = lock.state(found)
    if as_json:
        told = {"name": found.name, "state": state, "origin": found.origin or None}
        echo_json({**told, "folder": str(found.folder), "sha256": dict(found.sha256)})
        return
    echo_folded(f"{found.name}: {state}{f', {found.origin}' if found.origin else ''}")
    click.echo(printable(f"  in {found.folder}"))
    for name, digest in found.sha256.items():
        click.echo(fold(f"{name}  sha256 {digest}", screen_width(), "    ", "  "))


@command.command("download")
@click.argument("model")
@click.argument("reference")
@click.option("--accept", is_flag=True, help="Accept what comes, without being asked.")
@click.option("--allow-moving-revision", is_flag=True, help="Take a branch where it is now.")
@_SETTINGS
@_JSON
def download_weights(
    model: str,
    reference: str,
    accept: bool,
    allow_moving_revision: bool,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Download the published weights REFERENCE of MODEL and lock what they are.

    REFERENCE is a name the model declares or hf:OWNER/NAME[@REVISION]. Commit, files and digests
    are shown; they are used once you accept them, and from then on nothing else is.
    """
    from fmb.cli.download_person import Person
    from fmb.contract.model import ModelSpec
    from fmb.plugins.loading import load_plugins
    from fmb.store.workspace import workspace
    from fmb.terminal.printing import say
    from fmb.weights.download import download
    from fmb.weights.hub import HubReference

    component = load_plugins().registry.get(ModelSpec, model)
    published = HubReference.parse(_location(component.spec, reference))

    person = Person(accept)
    found = download(
        published,
        workspace(),
        asked=f"{model} {reference}",
        consider=person.consider,
        accept=person.agrees,
        allow_moving=allow_moving_revision,
    )
    say(f"{found.origin} is locked, in {found.folder}")
    _report(model, reference, settings, as_json=as_json)


def _config(component: "Component[ModelSpec]", settings: tuple[str, ...]) -> "Config":
    """The model's configuration with what --set says."""
    from fmb.contract.config import Config
    from fmb.plugins.settings import build, merge, parse_setting

    values = merge(*(parse_setting(text) for text in settings))
    config: Config = build(component.load_config(), values, component.spec.name)
    return config


def _location(spec: Any, reference: str) -> str:
    """Where the weights are published that `reference` names."""
    from fmb.messages.errors import WeightsError, did_you_mean

    declared = {w.name: w.location or "drawn from a seed" for w in spec.weights}
    location = declared.get(reference, reference)
    if location.startswith("hf:"):
        return location
    if reference in declared:
        raise WeightsError(f"weights {reference!r} of {spec.name} need no download: {location}")
    published = [name for name, place in declared.items() if place.startswith("hf:")]
    hint = did_you_mean(reference, [*published, "hf:OWNER/NAME@REVISION"])
    raise WeightsError(f"{spec.name} publishes no weights {reference!r}{hint}")


@command.command("convert")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--model", metavar="NAME", help="Whose checkpoint it is, where several convert.")
@_SETTINGS
@_JSON
def convert_weights(
    checkpoint: Path, out: Path, model: str | None, settings: tuple[str, ...], as_json: bool
) -> None:
    """Make the weights folder OUT of a CHECKPOINT that pickles whole modules.

    Nothing in the file is executed. OUT must be empty or not there.
    """
    from fmb.contract.model import ModelSpec
    from fmb.messages.errors import WeightsError
    from fmb.plugins.loading import load_plugins
    from fmb.terminal.printing import echo_folded, echo_json, progress_line
    from fmb.weights.pickles import convert_checkpoint

    registry = load_plugins().registry
    able = [c for c in registry.all(ModelSpec) if c.spec.converter]
    if model is None and len(able) != 1:
        names = ", ".join(c.spec.name for c in able)
        raise WeightsError(f"models that convert: {names or 'none'}; name one with --model")
    component = registry.get(ModelSpec, model) if model else able[0]
    config = _config(component, settings)
    with stage(progress_line, f"convert {checkpoint.name}"):
        convert_checkpoint(component, checkpoint, out, config)
    if as_json:
        echo_json({"model": component.spec.name, "folder": str(out)})
    else:
        echo_folded(f"{out}  (fmb run --model {component.spec.name} --weights {out} ...)")
