"""Looks components up by kind and name, and says what to do when that does not work."""

import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, Generic, TypeVar

from fmb.contract.spec import ComponentSpec, Spec
from fmb.messages.errors import (
    AmbiguousNameError,
    ConfigError,
    PluginError,
    UnknownNameError,
    did_you_mean,
)
from fmb.plugins.failures import Failure, Missing

__all__ = ["LABEL", "Component", "Registry", "split_label"]

S = TypeVar("S", bound=Spec)
S_co = TypeVar("S_co", bound=Spec, covariant=True)

LABEL = r"[a-z0-9]+([-_][a-z0-9]+)*"


class Component(Generic[S_co]):
    """A declared component and the plugin it comes from."""

    def __init__(self, spec: S_co, plugin: str, distribution: str, version: str) -> None:
        self.spec, self.plugin = spec, plugin
        self.distribution, self.version = distribution, version

    @property
    def qualified(self) -> str:
        """The name nobody else can claim: "plugin:name"."""
        return f"{self.plugin}:{self.spec.name}"

    @property
    def key(self) -> list[str]:
        """What a content key holds of the component, as plain values."""
        revision = self.spec.revision if isinstance(self.spec, ComponentSpec) else 0
        return [self.qualified, self.distribution, self.version, str(revision)]

    @property
    def revised(self) -> list[str]:
        """As `key`, but without a version: what outlasts an upgrade that changes no numbers."""
        return [self.qualified, self.key[-1]]

    def load(self) -> Any:
        """The class or function the component names, imported now.

        Raises:
            PluginError: its module cannot be imported or lacks the name.
        """
        return self._resolve(self.spec.target, "target")

    def load_config(self) -> Any:
        """The component's configuration class, imported now."""
        config = self.spec.config if isinstance(self.spec, ComponentSpec) else "fmb:Config"
        return self._resolve(config, "config")

    def resolve(self, target: str) -> Any:
        """Another object the record names as "module:name"."""
        return self._resolve(target, "part")

    def _resolve(self, target: str, what: str) -> Any:
        module_name, _, attribute = target.partition(":")
        try:
            named: Any = import_module(module_name)
            for part in attribute.split("."):
                named = getattr(named, part)
        except (Exception, SystemExit) as error:  # the plugin's own code runs here
            cause = " ".join(f"{type(error).__name__}: {error}".split())
            raise PluginError(
                f"{self.spec.kind} {self.spec.name!r} of plugin {self.plugin!r}"
                f" ({self.distribution} {self.version}) failed at loading its {what}"
                f" {target!r}: {cause}"
            ) from error
        return named


class Registry:
    """Components by kind and name. Two plugins may declare one name; then nobody wins."""

    def __init__(self) -> None:
        self.failures: tuple[Failure, ...] = ()
        self.missing: tuple[Missing, ...] = ()  # what an extra would make available
        self._components: list[Component[Spec]] = []

    def add(self, component: Component[Spec]) -> None:
        """Make a component known."""
        self._components.append(component)

    def all(self, kind: type[S]) -> Iterator[Component[S]]:
        """Components whose records are of class `kind`, by name."""
        chosen = [c for c in self._components if isinstance(c.spec, kind)]
        yield from sorted(chosen, key=lambda c: (c.spec.name, c.plugin))  # type: ignore[misc]

    def get(self, kind: type[S], name: str, *, prefer: str = "") -> Component[S]:
        """The component called `name`, "plugin:name" or "distribution:name".

        Args:
            kind: class of its record.
            name: what the user wrote.
            prefer: a plugin whose component is taken where a bare name fits several.

        Raises:
            UnknownNameError: nobody declares it; the message names broken plugins.
            AmbiguousNameError: two plugins declare it and `name` does not say which.
        """
        owner, _, bare = name.rpartition(":")
        named = [c for c in self.all(kind) if bare in c.spec.names]
        owned = [c for c in named if owner in ("", c.plugin)]
        owned = owned or [c for c in named if owner == c.distribution]
        owned = [c for c in owned if prefer == c.plugin] or owned
        if len(owned) == 1:
            return owned[0]
        if owned:
            raise AmbiguousNameError(_clash(kind.kind, name, owned))
        for one in self.missing:
            if isinstance(one.spec, kind) and bare in one.spec.names:
                raise UnknownNameError(str(one))
        raise UnknownNameError(f"no {kind.kind} is called {name!r}{self._advice(kind, name)}")

    def clashes(self) -> list[str]:
        """One line for each name that two components of a kind claim, with the way out."""
        claims: dict[tuple[str, str], list[Component[Spec]]] = {}
        for component in self._components:
            for name in component.spec.names:
                claims.setdefault((component.spec.kind, name), []).append(component)
        return [_clash(*claim, owned) for claim, owned in claims.items() if len(owned) > 1]

    def _advice(self, kind: type[Spec], name: str) -> str:
        known = [c.spec.name for c in self.all(kind)]
        if not known:
            a = "an" if kind.kind[0] in "aeiou" else "a"
            advice = f"; no installed package provides {a} {kind.kind}: pip install one that does"
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


def _clash(kind: str, name: str, claimants: Sequence[Component[Spec]]) -> str:
    claimants = sorted(claimants, key=lambda c: (c.plugin, c.distribution))
    plugins = {c.plugin for c in claimants}
    ways = " or ".join(
        # Two distributions may even call their plugins alike; their own names differ.
        f"{c.plugin if len(plugins) == len(claimants) else c.distribution}:{c.spec.name}"
        f" ({c.distribution} {c.version})"
        for c in claimants
    )
    return f"{kind} {name!r} is claimed by {len(claimants)} plugins: write {ways}"


def split_label(text: str) -> tuple[str, str]:
    """("wide", "norm") for "wide=norm", ("norm", "norm") for "norm".

    The label of "plugin:name" is "name".

    Raises:
        ConfigError: the label is not lower case letters, digits, hyphens and underscores.
    """
    label, equals, name = text.partition("=")
    if not equals:
        label, name = text.rpartition(":")[2], text
    if not name or not re.fullmatch(LABEL, label):
        raise ConfigError(
            f"{text!r} is not a component: write NAME or LABEL=NAME, lower case with hyphens"
        )
    return label, name
