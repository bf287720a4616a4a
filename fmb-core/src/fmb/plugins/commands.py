"""Commands of the core and of plugins: listed without importing them, loaded when called."""

from importlib import import_module
from typing import Any

import click

from fmb.contract.command import CommandSpec
from fmb.messages.errors import UnknownNameError, did_you_mean

__all__ = ["CommandGroup"]


class CommandGroup(click.Group):
    """`fmb`, or one of its commands to which plugins add commands: what records declare."""

    def __init__(self, *args: Any, group: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._group = group

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The core's commands, then those of plugins."""
        return [spec.name for spec in (*_core(self._group), *_plugins(self._group))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The core's command of that name, for which no plugin is loaded, else a plugin's.

        Raises:
            AmbiguousNameError: two plugins claim the name.
        """
        path = f"{self._group} {cmd_name}".lstrip()
        for spec in _core(self._group):
            if path in spec.names:
                return _load(spec)
        from fmb.plugins.loading import load_plugins

        registry = load_plugins(kinds=[CommandSpec], disabled=["core"]).registry
        owner, _, bare = cmd_name.rpartition(":")
        try:
            name = f"{self._group} {bare}".lstrip()
            asked = f"{owner}:{name}" if owner else name
            found = registry.get(CommandSpec, asked)
            command = _described(found.load(), found.spec)
        except UnknownNameError:
            return None
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and summaries, as records declare them."""
        commands = (*_core(self._group), *_plugins(self._group))
        with formatter.section("Commands"):
            formatter.write_dl([(spec.name, spec.summary) for spec in commands])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the user typed.

        Raises:
            UnknownNameError: there is none; says what to install where a package offers it.
        """
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            path = f"{self._group} {args[0]}".lstrip()
            hint = did_you_mean(args[0], self.list_commands(ctx))
            raise UnknownNameError(_offer(path) or f"no command is called {path!r}{hint}")
        return super().resolve_command(ctx, args)


def _core(group: str) -> list[CommandSpec]:
    """The core's own commands of a group; no plugin is loaded for them."""
    from fmb.plugins.builtin import fmb_register_commands

    return [spec for spec in fmb_register_commands() if spec.group == group]


def _plugins(group: str) -> list[CommandSpec]:
    """The commands that plugins add to a group; two that claim one name are not listed."""
    from fmb.plugins.loading import load_plugins

    # The core is left out: its commands are known, and cannot be claimed.
    registry = load_plugins(kinds=[CommandSpec], disabled=["core"]).registry
    specs = [component.spec for component in registry.all(CommandSpec)]
    names = [name for spec in specs for name in spec.names]
    taken = {name for spec in _core(group) for name in spec.names}
    return [
        s
        for s in specs
        if s.group == group and names.count(s.names[0]) == 1 and s.names[0] not in taken
    ]


def _load(spec: CommandSpec) -> click.Command:
    """The command that a record of the core names."""
    module, _, name = spec.target.partition(":")
    command: click.Command = getattr(import_module(module), name)
    return _described(command, spec)


def _described(command: click.Command, spec: CommandSpec) -> click.Command:
    """The command, which says what its record does where Python left its docstring out (-OO)."""
    command.help = command.help or spec.summary
    return command


def _offer(path: str) -> str:
    """How to get a command that no installed package brings; "" where nobody knows."""
    from fmb.contract.hooks import KINDS
    from fmb.contract.spec import ComponentSpec
    from fmb.plugins.loading import load_plugins

    registry = load_plugins().registry
    for absent in registry.missing:
        if absent.spec.kind == CommandSpec.kind and path in absent.spec.names:
            return str(absent)
    ways = dict.fromkeys(
        f"'{c.distribution}[{c.spec.commands[path]}]'"
        for kind in KINDS
        if issubclass(kind, ComponentSpec)
        for c in registry.all(kind)
        if path in c.spec.commands
    )
    return f"the command {path!r} is not installed: pip install {' or '.join(ways)}" if ways else ""
