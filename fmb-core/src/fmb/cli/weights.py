"""`fmb weights`: what can be loaded, and whether it is what was accepted."""

import click

__all__ = ["command"]


@click.group()
def command() -> None:
    """List and verify model weights."""


@command.command("list")
@click.argument("model", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_weights(model: str | None, as_json: bool) -> None:
    """List the weights that installed models declare."""
    from fmb.cli.summary import echo_json, table_text
    from fmb.plugins import load_plugins
    from fmb.specs import ModelSpec

    registry = load_plugins().registry
    components = [registry.get("model", model)] if model else list(registry.all("model"))
    rows = [
        {
            "model": component.spec.name,
            "weights": declared.name,
            "from": declared.location or "drawn from a seed",
            "summary": declared.summary,
        }
        for component in components
        if isinstance(component.spec, ModelSpec)
        for declared in component.spec.weights
    ]
    if as_json:
        echo_json(rows)
    else:
        click.echo(table_text(rows) or "no installed model declares weights")


@command.command("verify")
@click.argument("model")
@click.argument("reference")
@click.option("--accept", is_flag=True, help="Write the digests into weights.lock.")
def verify_weights(model: str, reference: str, accept: bool) -> None:
    """Check the weights REFERENCE of MODEL and print their digests.

    REFERENCE is a name the model declares, a folder or a checkpoint file.
    """
    from fmb.paths import workspace
    from fmb.plugins import load_plugins
    from fmb.weights import resolve_weights
    from fmb.weights_lock import Lock

    component = load_plugins().registry.get("model", model)
    config = component.load_config()()
    found = resolve_weights(component, reference, config, seed=0, workspace=workspace())
    lock = Lock(workspace())
    if accept:
        lock.accept(found)
    click.echo(f"{found.name}: {lock.state(found)}")
    for name, digest in found.sha256.items():
        click.echo(f"  {name}  sha256 {digest}")
