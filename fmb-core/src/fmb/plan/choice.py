"""A component that somebody chose: what it is labelled, where it is from, how it is configured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fmb.contract.config import Config
from fmb.contract.spec import Spec
from fmb.plugins.registry import Component, Registry
from fmb.plugins.settings import build

__all__ = ["Chosen", "choose"]

S = TypeVar("S", bound=Spec)
S_co = TypeVar("S_co", bound=Spec, covariant=True)


@dataclass(frozen=True)
class Chosen(Generic[S_co]):
    """A component under a label, with its configuration checked."""

    label: str
    component: Component[S_co]
    config: Config

    @property
    def spec(self) -> S_co:
        """Its record."""
        return self.component.spec

    @property
    def identity(self) -> dict[str, Any]:
        """What a content key holds of it; the label is not in it."""
        return {"component": self.component.key, "config": self.config.model_dump(mode="json")}

    def new(self, **arguments: Any) -> Any:
        """An object of the class that the record names, made with the configuration."""
        made = self.component.load()
        try:
            return made(self.config, **arguments)
        except Exception as error:
            where = f"{self.spec.kind} {self.label!r} of plugin {self.component.plugin!r}"
            error.add_note(f"raised in making {where}")
            raise


def choose(
    registry: Registry,
    kind: type[S],
    label: str,
    use: str,
    settings: Mapping[str, Any],
    *,
    prefer: str = "",
) -> Chosen[S]:
    """The component that `use` names, configured.

    Args:
        registry: the installed components.
        kind: class of its record.
        label: what the user calls it.
        use: its name, perhaps with that of its plugin.
        settings: its options.
        prefer: a plugin whose component is taken where a bare name fits several.

    Raises:
        FmbError: nobody answers to the name, two do, or an option is wrong.
    """
    component = registry.get(kind, use, prefer=prefer)
    return Chosen(
        label, component, build(component.load_config(), settings, f"{kind.kind}.{label}")
    )
