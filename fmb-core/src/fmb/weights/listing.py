"""What weights there are of a model: declared by its plugin, downloaded or imported here."""

from collections.abc import Iterator
from pathlib import Path

from fmb.contract.config import Config
from fmb.contract.model import ModelSpec, WeightsSpec
from fmb.messages.errors import FmbError, StoreError, WeightsError
from fmb.plugins.registry import Component
from fmb.store.atomic import read_json
from fmb.store.digests import Digests
from fmb.weights.card import CARD, read_card
from fmb.weights.hub import HubReference, downloaded, is_downloaded
from fmb.weights.lock import Lock
from fmb.weights.resolve import resolve_weights
from fmb.weights.upstream import ORIGIN

__all__ = ["declared_state", "known_weights", "weights_line"]


def known_weights(component: Component[ModelSpec], workspace: Path) -> Iterator[dict[str, str]]:
    """One row for each weights of a model: how to name them, their state, where they are from."""
    spec = component.spec
    for declared in spec.weights:
        yield {
            "model": spec.name,
            "weights": declared.name,
            "state": declared_state(component, declared, workspace),
            "from": declared.location or "drawn from a seed",
            "summary": declared.summary,
        }
    lock = Lock(workspace)
    published = {
        hub.at(lock.commit(hub.repo, hub.revision) or "")
        for hub in (HubReference.parse(w.location) for w in spec.weights if _on_hub(w.location))
    }
    for folder, origin in sorted(_here(workspace)):
        try:
            card = read_card(folder)
        except WeightsError:
            continue  # not weights; what is damaged is told where it is asked for
        if card.model in (spec.name, *spec.aliases) and origin not in published:
            yield {
                "model": spec.name,
                "weights": origin if _on_hub(origin) else str(folder),
                "state": _state(component, folder, origin, workspace),
                "from": origin,
                "summary": card.summary,
            }


def declared_state(component: Component[ModelSpec], declared: WeightsSpec, workspace: Path) -> str:
    """drawn, bundled, verified, unverified, not downloaded, or damaged."""
    if declared.card:
        return "drawn"
    if _on_hub(declared.location):
        return _hub_state(declared.location, workspace)
    return _state(component, declared.name, "", workspace)


def weights_line(component: Component[ModelSpec], weights: WeightsSpec, workspace: Path) -> str:
    """What a sheet on a model says of weights it declares: size, cost, place and state."""
    place = ""
    if _on_hub(weights.location):
        published = HubReference.parse(weights.location)
        commit = Lock(workspace).commit(published.repo, published.revision)
        known = commit or (published.revision if published.is_commit else "")
        place = published.at(known) if known else f"{weights.location}, revision unverified"
    millions = f"{weights.parameters / 1e6:.4g} M parameters" if weights.parameters else ""
    state = f"state: {declared_state(component, weights, workspace)}"
    return "; ".join(filter(None, [weights.summary, millions, weights.measured, place, state]))


def _on_hub(location: str) -> bool:
    return location.startswith("hf:")


def _hub_state(location: str, workspace: Path) -> str:
    """The state of downloaded files; no network and no import."""
    published = HubReference.parse(location)
    if not is_downloaded(published, workspace):
        return "not downloaded"
    try:
        downloaded(published, workspace, Digests(workspace), asked="")
    except WeightsError:
        return "damaged"
    return "verified"


def _state(component: Component[ModelSpec], place: Path | str, origin: str, workspace: Path) -> str:
    if _on_hub(origin) and _hub_state(origin, workspace) != "verified":
        return _hub_state(origin, workspace)
    try:
        found = resolve_weights(component, str(place), Config(), seed=0, workspace=workspace)
        return "verified" if _on_hub(origin) else Lock(workspace).state(found)
    except FmbError:
        return "damaged"


def _here(workspace: Path) -> Iterator[tuple[Path, str]]:
    """Folders with a card that were imported or downloaded, and where they are from."""
    for path in (workspace / "weights").glob(f"*/{ORIGIN}"):
        try:
            yield path.parent, str(read_json(path)["from"])
        except (StoreError, KeyError, TypeError):
            continue
    for path in (workspace / "weights" / "hub").glob(f"*/*/{CARD}"):
        repo = path.parent.parent.name.replace("--", "/", 1)
        yield path.parent, f"hf:{repo}@{path.parent.name}"
