"""Looks components up by kind and name, and says what to do when that does not work."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fmb.errors import AmbiguousNameError, ConfigError, PluginError, UnknownNameError, did_you_mean
from fmb.specs import Spec

if TYPE_CHECKING:
    from fmb.plugins import Failure

__all__ = ["Component", "Registry", "split_label"]

_LABEL = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")


@dataclass(frozen=True)
class Component:
    """A declared component and the plugin it comes from."""

    spec: Spec
    plugin: str
    distribution: str
    version: str

    @property
    def qualified(self) -> str:
        """The name nobody else can claim: "plugin:name"."""
        return f"{self.plugin}:{self.spec.name}"

    def load(self) -> Any:
        """The class or function the component names, imported now.

        Raises:
            PluginError: its module cannot be imported or lacks the name.
        """
        return self._resolve(self.spec.target, "target")

    def load_config(self) -> Any:
        """The component's configuration class, imported now."""
        return self._resolve(self.spec.config, "config")

    def resolve(self, reference: str) -> Any:
        """Another object the record names as "module:name"."""
        return self._resolve(reference, "reference")

    def _resolve(self, reference: str, what: str) -> Any:
        module_name, _, attribute = reference.partition(":")
        try:
            found: Any = import_module(module_name)
            for part in attribute.split("."):
                found = getattr(found, part)
        except (Exception, SystemExit) as error:  # the plugin's own code runs here
            raise PluginError(
                f"{self.spec.kind} {self.spec.name!r} of plugin {self.plugin!r}"
                f" ({self.distribution} {self.version}) failed at loading its {what}"
                f" {reference!r}: {type(error).__name__}: {error}"
            ) from error
        return found


@dataclass
class Registry:
    """Components by kind and name. Two plugins may declare one name; then nobody wins."""

    failures: tuple["Failure", ...] = ()
    _components: list[Component] = field(default_factory=list)

    def add(self, component: Component) -> None:
        """Make a component known."""
        self._components.append(component)

    def all(self, kind: str) -> Iterator[Component]:
        """Components of one kind, by name."""
        chosen = [c for c in self._components if c.spec.kind == kind]
        yield from sorted(chosen, key=lambda c: (c.spec.name, c.plugin))

    def get(self, kind: str, name: str) -> Component:
        """The component called `name` or "plugin:name".

        Raises:
            UnknownNameError: nobody declares it; the message names broken plugins.
            AmbiguousNameError: two plugins declare it and `name` does not say which.
        """
        plugin, _, bare = name.rpartition(":")
        found = [
            c
            for c in self.all(kind)
            if bare in (c.spec.name, *c.spec.aliases) and plugin in ("", c.plugin)
        ]
        if len(found) == 1:
            return found[0]
        if found:
            names = " or ".join(f"{c.qualified} ({c.distribution} {c.version})" for c in found)
            raise AmbiguousNameError(f"{kind} {name!r} is claimed by two plugins: write {names}")
        known = [c.spec.name for c in self.all(kind)]
        message = f"no {kind} is called {name!r}{did_you_mean(name, known)}"
        if self.failures:
            broken = ", ".join(dict.fromkeys(f.plugin for f in self.failures))
            message += f" (plugins that failed to load: {broken}; see `fmb plugins`)"
        elif not known:
            message += f"; no installed plugin provides a {kind}"
        raise UnknownNameError(message)


def split_label(text: str) -> tuple[str, str]:
    """("wide", "flow") for "wide=flow", ("flow", "flow") for "flow".

    The label of "plugin:name" is "name".

    Raises:
        ConfigError: the label is not lower case letters, digits, hyphens and underscores.
    """
    label, equals, name = text.partition("=")
    if not equals:
        label, name = text.rpartition(":")[2], text
    if not name or not _LABEL.fullmatch(label):
        raise ConfigError(
            f"{text!r} is not a component: write NAME or LABEL=NAME, lower case with hyphens"
        )
    return label, name
