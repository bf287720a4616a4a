"""Looks components up by kind and name, and says what to do when that does not work."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fmb.contract.errors import (
    AmbiguousNameError,
    ConfigError,
    PluginError,
    UnknownNameError,
    did_you_mean,
)
from fmb.contract.spec import Spec

if TYPE_CHECKING:
    from fmb.plugins.failures import Failure

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

    @property
    def key(self) -> list[str]:
        """What a content key holds of the component, as plain values."""
        return [self.qualified, self.distribution, self.version, str(self.spec.revision)]

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
            cause = " ".join(f"{type(error).__name__}: {error}".split())
            raise PluginError(
                f"{self.spec.kind} {self.spec.name!r} of plugin {self.plugin!r}"
                f" ({self.distribution} {self.version}) failed at loading its {what}"
                f" {reference!r}: {cause}"
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

    def get(self, kind: str, name: str, *, prefer: str = "") -> Component:
        """The component called `name`, "plugin:name" or "distribution:name".

        Args:
            kind: of the component.
            name: what the user wrote.
            prefer: a plugin whose component is taken where a bare name fits several.

        Raises:
            UnknownNameError: nobody declares it; the message names broken plugins.
            AmbiguousNameError: two plugins declare it and `name` does not say which.
        """
        owner, _, bare = name.rpartition(":")
        named = [c for c in self.all(kind) if bare in (c.spec.name, *c.spec.aliases)]
        found = [c for c in named if owner in ("", c.plugin)]
        found = found or [c for c in named if owner == c.distribution]
        found = [c for c in found if prefer == c.plugin] or found
        if len(found) == 1:
            return found[0]
        if found:
            raise AmbiguousNameError(_clash(kind, name, found))
        raise UnknownNameError(f"no {kind} is called {name!r}{self._advice(kind, name)}")

    def clashes(self) -> list[str]:
        """One line for each name that two components of a kind claim, with the way out."""
        claims: dict[tuple[str, str], list[Component]] = {}
        for component in self._components:
            spec = component.spec
            for name in (spec.name, *spec.aliases):
                claims.setdefault((spec.kind, name), []).append(component)
        return [_clash(*claim, found) for claim, found in claims.items() if len(found) > 1]

    def _advice(self, kind: str, name: str) -> str:
        known = [c.spec.name for c in self.all(kind)]
        if not known:
            advice = f"; no installed package provides a {kind}: pip install one that does"
        else:
            advice = did_you_mean(name, known)
            if not advice.endswith("?"):
                advice += ", or pip install the package that provides it"
        if len(self.failures) == 1:
            return f"{advice} ({self.failures[0]})"
        if self.failures:
            broken = ", ".join(dict.fromkeys(f.plugin for f in self.failures))
            return f"{advice} (plugins that failed to load: {broken}; see `fmb plugins`)"
        return advice


def _clash(kind: str, name: str, found: list[Component]) -> str:
    found = sorted(found, key=lambda c: (c.plugin, c.distribution))
    plugins = {c.plugin for c in found}
    ways = " or ".join(
        # Two distributions may even call their plugins alike; their own names differ.
        f"{c.plugin if len(plugins) == len(found) else c.distribution}:{c.spec.name}"
        f" ({c.distribution} {c.version})"
        for c in found
    )
    return f"{kind} {name!r} is claimed by {len(found)} plugins: write {ways}"


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
