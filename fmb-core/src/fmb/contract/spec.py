"""What every record of a plugin declares."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, dataclass_transform, get_origin

__all__ = ["NOTHING", "ComponentSpec", "Record", "Spec"]

_CLASS_VAR: Any = ClassVar
NOTHING: Mapping[str, str] = MappingProxyType({})
"""An empty mapping, frozen like the records it is a default of."""


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record:
    """Named values that do not change; a subclass annotates them, with defaults where it has any.

    As a frozen dataclass, but nothing is generated for it: methods generated for a dozen kinds
    would cost every command 15 ms, a fifth of what `fmb --help` takes.
    """

    fields: ClassVar[Mapping[str, Any]] = NOTHING
    """Name -> type as annotated, those of the bases first."""

    def __init_subclass__(cls) -> None:
        kinds = cls.__annotations__.items()
        own = {name: kind for name, kind in kinds if get_origin(kind) is not _CLASS_VAR}
        cls.fields = MappingProxyType({**cls.fields, **own})

    def __init__(self, **values: Any) -> None:
        for name in (*values, *self.fields):
            if name not in self.fields or (name not in values and not hasattr(self, name)):
                problem = "must be given" if name in self.fields else "is no field"
                raise TypeError(f"{type(self).__name__}: {name} {problem}")
        self.__setstate__(values)

    def __getstate__(self) -> dict[str, Any]:
        return {k: dict(v) if isinstance(v, Mapping) else v for k, v in vars(self).items()}

    def __setstate__(self, values: dict[str, Any]) -> None:
        for name, value in values.items():  # mappings are frozen like the record
            self.__dict__[name] = MappingProxyType(value) if type(value) is dict else value

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{self!r} is frozen: {name} cannot be set")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {getattr(self, 'name', '')!r}>"


class Spec(Record):
    """What a plugin has to offer; `target` is imported on first use.

    A kind of component is one subclass: its hook, the checks of its records, `fmb plugins` and the
    page of hooks follow from it.
    """

    kind: ClassVar[str] = ""
    """What users call one of its kind."""
    plural: ClassVar[str] = ""
    """What they call several; the hook is called `fmb_register_` and this word."""
    example: ClassVar[str] = ""
    """A record as a plugin yields it."""

    name: str
    """As users type it: lower case, digits and hyphens."""
    summary: str
    """One line of at most 60 characters."""
    target: str
    """"module:Class" of the component."""
    aliases: tuple[str, ...] = ()
    """Other names it answers to."""
    requires: tuple[str, ...] = ()
    """Top-level import names the component needs; looked up, never imported, by the core."""
    extra: str = ""
    """The extra of this distribution that installs what `requires` names.

    Where that is missing, the component is not available, which the command that asks for it says
    with the way to install it; without an extra it is a failure of the plugin.
    """

    @classmethod
    def hook(cls) -> str:
        """The name of the hook that declares records of this kind."""
        return f"fmb_register_{cls.plural}"

    @property
    def names(self) -> tuple[str, ...]:
        """All that it answers to."""
        return (self.name, *self.aliases)

    def problem(self) -> str:
        """What is wrong with this record besides the types of its fields; "" = nothing."""
        return ""


class ComponentSpec(Spec):
    """A part of a run, with options of its own."""

    config: str = "fmb:Config"
    """"module:Class" of its configuration, a subclass of `fmb.Config`."""
    revision: int = 1
    """Raised when the component's numbers change; part of every content key."""
    source: str = ""
    """arXiv id or DOI of the method."""
    citation: str = ""
    """BibTeX."""
    licence: str = ""
    """SPDX identifier."""
    commands: Mapping[str, str] = NOTHING
    """Command that works on this component -> the extra of this distribution that installs it.

    Named to the user who asks for the command where it is missing.
    """
