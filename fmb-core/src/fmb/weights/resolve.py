"""Weights: how a reference becomes a folder whose card was read and whose files were digested."""

import json
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from fmb.contract.config import Config
from fmb.contract.model import ModelSpec, WeightsSpec
from fmb.foreign.shards import is_index
from fmb.messages.errors import WeightsError, did_you_mean
from fmb.plugins.registry import Component
from fmb.store.atomic import ensure_folder, publish
from fmb.store.digests import Digests
from fmb.store.keys import content_key
from fmb.weights.card import CARD, Card, name_of, read_card
from fmb.weights.folder import Weights
from fmb.weights.hub import HubReference, downloaded
from fmb.weights.upstream import ORIGIN, check_import, import_weights

__all__ = ["Weights", "resolve_weights"]


def resolve_weights(
    component: Component[ModelSpec],
    reference: str,
    config: Config,
    *,
    seed: int,
    workspace: Path,
    fresh: bool = False,
) -> Weights:
    """The weights folder that `reference` stands for, with its card.

    Args:
        component: the model.
        reference: a name the model declares, a weights folder, a folder in the layout of the
            upstream, a checkpoint file, or "hf:REPO@REV" once it was downloaded.
        config: the model's configuration; it shapes weights that are drawn or imported.
        seed: for weights that are drawn.
        workspace: where drawn, imported and downloaded weights are kept.
        fresh: digest every file anew, also those that look unchanged.

    Raises:
        WeightsError: nothing answers to the reference, the folder is not one of this model, a file
            is not what it was when it was accepted, or an option is set that its card settles.
    """
    spec = component.spec
    declared = next((w for w in spec.weights if w.name == reference), None)
    if declared is not None and declared.card:
        return _drawn(component, declared, config, seed=seed, workspace=workspace)
    opening = _Opening(component, config, workspace, Digests(workspace, fresh=fresh), reference)
    location = declared.location if declared is not None else reference
    if location.startswith("hf:"):
        published = HubReference.parse(location)
        name = declared.name if declared is not None else published.name
        return opening.from_hub(published, name)
    if declared is not None:
        package, _, inner = location.removeprefix("package:").partition("/")
        with as_file(files(package).joinpath(inner)) as folder:
            return opening.folder(folder, declared.name, location)
    path = Path(reference).expanduser()
    if not path.exists():
        hint = did_you_mean(reference, [w.name for w in spec.weights])
        raise WeightsError(
            f"weights {reference!r} of {spec.name}: no such name, folder or file{hint}"
        )
    return opening.path(path)


@dataclass(frozen=True)
class _Opening:
    """What opening a folder takes besides the folder."""

    component: Component[ModelSpec]
    config: Config
    workspace: Path
    digests: Digests
    reference: str

    @property
    def spec(self) -> ModelSpec:
        return self.component.spec

    def folder(self, folder: Path, name: str = "", origin: str = "") -> Weights:
        """The weights in `folder`, whose card is for this model and whose files are there."""
        card = read_card(folder)
        if card.model not in (self.spec.name, *self.spec.aliases):
            raise WeightsError(
                f"{folder}: these weights are for {card.model!r}, not {self.spec.name!r}"
            )
        missing = [file for file in card.contents if not (folder / file).is_file()]
        if missing:
            raise WeightsError(f"{folder}: {', '.join(missing)} is missing, or no regular file")
        digests = self.digests.of_all(folder, card.contents)
        if (folder / ORIGIN).is_file():
            check_import(folder, digests)
        else:
            self._refuse_shaping()
        return Weights(name or card.name, folder, card, digests, self.reference, origin)

    def _refuse_shaping(self) -> None:
        """Options that would be ignored, because the card says what they would choose."""
        fields = type(self.config).model_fields
        chosen = self.config.model_fields_set.intersection(self.spec.shaping_options)
        for name in sorted(chosen):
            if getattr(self.config, name) != fields[name].default:
                raise WeightsError(
                    f"option {name!r} of {self.spec.name} shapes weights that are drawn or"
                    f" imported; weights {self.reference!r} have a card that settles it: leave the"
                    " option out, or choose other weights with --weights"
                )

    def path(self, path: Path) -> Weights:
        """The weights at a user's own path, imported if they are not an FMB folder."""
        if path.is_dir() and ((path / CARD).exists() or not self.spec.importer):
            return self.folder(path)
        whole = path.parent if is_index(path) else path
        # "." has no name; a file keeps its own where a cache links it to a digest.
        named = name_of(whole.resolve() if whole.is_dir() else whole)
        return self.folder(self.imported(path, named))

    def from_hub(self, published: HubReference, name: str) -> Weights:
        """The weights that were downloaded from a repository before."""
        found = downloaded(
            published, self.workspace, self.digests, asked=f"{self.spec.name} {self.reference}"
        )
        if found.has_card:
            return self.folder(found.folder, name, found.origin)
        checkpoint = found.checkpoint
        convert = checkpoint is not None and bool(self.spec.converter)
        made = self.imported(checkpoint or found.folder, name, found.origin, convert=convert)
        return self.folder(made, name, found.origin)

    def imported(self, path: Path, name: str, origin: str = "", *, convert: bool = False) -> Path:
        """The folder that the model's importer, or its converter, makes of `path`."""
        return import_weights(
            self.component,
            path,
            self.config,
            name=name,
            origin=origin or str(path.resolve()),
            workspace=self.workspace,
            digests=self.digests,
            convert=convert,
        )


def _drawn(
    component: Component[ModelSpec],
    declared: WeightsSpec,
    config: Config,
    *,
    seed: int,
    workspace: Path,
) -> Weights:
    """Weights that are a card with a seed; the model draws them."""
    card: Card = component.resolve(declared.card)(config, seed)
    values = card.model_dump(mode="json")
    name = f"{component.spec.name}-{declared.name}-{content_key(values)[:8]}"
    folder = ensure_folder(workspace / "weights" / name)
    if not (folder / CARD).exists():
        publish(folder / CARD, json.dumps(values, indent=1, sort_keys=True).encode() + b"\n")
    opening = _Opening(component, Config(), workspace, Digests(workspace), declared.name)
    return opening.folder(folder, declared.name)
