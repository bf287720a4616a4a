"""Commands: what `fmb` can be asked to do."""

from typing import ClassVar

from fmb.contract.spec import Spec

__all__ = ["CommandSpec"]


class CommandSpec(Spec):
    """A subcommand of `fmb`; `target` is a `click.Command`, imported when it is called.

    `fmb --help` shows the summary without importing it. What the core calls its own commands
    cannot be claimed.
    """

    kind: ClassVar[str] = "command"
    plural: ClassVar[str] = "commands"
    example: ClassVar[str] = """\
yield CommandSpec(name="count", group="data", summary="Count the objects of a survey.",
                  target="mypkg.count:command")"""

    group: str = ""
    """The command it is a part of: `fmb data show` has the group "data"; "" = none."""

    @property
    def names(self) -> tuple[str, ...]:
        """What the user types after `fmb`."""
        return tuple(f"{self.group} {name}".lstrip() for name in (self.name, *self.aliases))
