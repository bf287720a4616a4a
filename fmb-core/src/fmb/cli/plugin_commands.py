"""Commands of plugins beside the core's: listed without importing them, loaded when called."""

from importlib import import_module
from typing import Any

import click

from fmb.contract.command import CommandSpec
from fmb.contract.errors import UnknownNameError

__all__ = ["PluginGroup", "core_commands", "missing_command", "plugin_commands"]


def core_commands() -> dict[str, CommandSpec]:
    """The core's own commands, by name; no plugin is loaded for them."""
    from fmb.plugins.builtin import fmb_register_commands

    return {spec.name: spec for spec in fmb_register_commands()}


def plugin_commands(group: str = "") -> dict[str, CommandSpec]:
    """The commands that plugins add to a group, by name; two that claim one name give none."""
    from fmb.plugins.loading import load_plugins

    # The core is left out: its commands are known, and cannot be claimed.
    plugins = load_plugins(kinds=[CommandSpec], disabled=["core"])
    specs = [c.spec for c in plugins.registry.all(CommandSpec) if c.spec.group == group]
    names = [spec.name for spec in specs]
    core = core_commands() if not group else {}
    return {s.name: s for s in specs if names.count(s.name) == 1 and s.name not in core}


def find_command(path: str) -> click.Command:
    """The command of a plugin that is typed as `path`.

    Raises:
        UnknownNameError: there is none, or what it needs is not installed.
        AmbiguousNameError: two plugins claim it.
    """
    from fmb.plugins.loading import load_plugins

    registry = load_plugins(kinds=[CommandSpec]).registry
    command: click.Command = registry.get(CommandSpec, path).load()
    return command


def missing_command(path: str) -> str:
    """How to get a command that no installed package brings; "" where nobody knows."""
    from fmb.contract.hooks import KINDS
    from fmb.contract.spec import ComponentSpec
    from fmb.plugins.loading import load_plugins

    registry = load_plugins().registry
    for absent in registry.missing:
        if absent.kind == CommandSpec.kind and absent.name == path:
            return str(absent)
    ways = dict.fromkeys(
        f"'{c.distribution}[{c.spec.commands[path]}]'"
        for kind in KINDS
        if issubclass(kind, ComponentSpec)
        for c in registry.all(kind)
        if path in c.spec.commands
    )
    return f"the command {path!r} is not installed: pip install {' or '.join(ways)}" if ways else ""


def load_target(spec: CommandSpec) -> click.Command:
    """The command that a record of the core names."""
    module, _, name = spec.target.partition(":")
    command: click.Command = getattr(import_module(module), name)
    return command


class PluginGroup(click.Group):
    """A group of the core's to which plugins add commands."""

    def __init__(self, *args: Any, plugin_group: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._group = plugin_group

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The core's commands, then those of plugins."""
        return [*super().list_commands(ctx), *plugin_commands(self._group)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The core's command of that name, else a plugin's."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        try:
            return find_command(f"{self._group} {cmd_name}")
        except UnknownNameError:
            return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and summaries; commands of plugins are not imported for them."""
        added = plugin_commands(self._group)
        width = formatter.width - 6 - max(map(len, (*self.commands, *added)))
        rows = [(name, one.get_short_help_str(width)) for name, one in self.commands.items()]
        rows += [(name, spec.summary) for name, spec in added.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
