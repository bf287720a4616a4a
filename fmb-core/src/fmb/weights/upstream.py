"""Weights in the layout of an upstream become an FMB folder once and are kept in the workspace."""

from collections.abc import Mapping
from pathlib import Path

from fmb.contract.config import Config
from fmb.contract.model import ModelSpec
from fmb.foreign.shards import is_index, read_index
from fmb.foreign.strict_json import read_table
from fmb.messages.errors import WeightsError
from fmb.plugins.registry import Component
from fmb.store.atomic import publish_json, staged_folder
from fmb.store.digests import Digests
from fmb.store.keys import content_key
from fmb.terminal.width import printable
from fmb.weights.card import read_card
from fmb.weights.pickles import convert_into

__all__ = ["ORIGIN", "PICKLES", "SAFE", "check_import", "import_weights", "source_files"]

SAFE = (".json", ".safetensors")
"""Endings of files that hold no code."""
PICKLES = (".ckpt", ".pt")
"""Endings of files that may hold code; read by an importer or converter, never as they are."""
ORIGIN = "origin.json"
"""What an imported folder was made of; written last."""


def source_files(folder: Path) -> list[str]:
    """Names, relative to `folder`, of the files that weights are made of."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix in SAFE + PICKLES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def import_weights(
    component: Component[ModelSpec],
    path: Path,
    config: Config,
    *,
    name: str,
    origin: str,
    workspace: Path,
    digests: Digests,
    convert: bool = False,
) -> Path:
    """The folder in `workspace` that `path` was imported into, now or by an earlier run.

    Args:
        component: the model whose importer, or converter, is called.
        path: a checkpoint file or a folder without a card.
        config: shapes what is imported; part of the folder's key, as are the digests of the files.
        name: part of the folder's name, fit for it.
        origin: where `path` is from, to be written down.
        workspace: where it is kept.
        digests: of the files of `path`.
        convert: call the converter, for a pickle of whole modules.

    Raises:
        WeightsError: the model imports nothing, or there is nothing to import.
        FailedError: the disk is full or the workspace cannot be written to.
    """
    spec = component.spec
    if not (spec.converter if convert else spec.importer):
        raise WeightsError(f"{path}: {spec.name} loads weights folders with a card.json only")
    sources = _sources(path, digests)
    made_of = {"sha256": sources, "config": config.model_dump(mode="json")}
    key = content_key({"origin": made_of, "version": component.version, "rev": spec.revision})[:8]
    folder = workspace / "weights" / f"{spec.name}-{name}-{key}"
    if not (folder / ORIGIN).exists():
        with staged_folder(folder) as staging:
            if convert:
                convert_into(component, path, staging, config)
            else:
                component.resolve(spec.importer)(path, staging, config)
            made = Digests(workspace).of_all(staging, read_card(staging).contents)
            publish_json(staging / ORIGIN, {**made_of, "from": printable(origin), "made": made})
    return folder


def _sources(path: Path, digests: Digests) -> Mapping[str, str]:
    if path.is_file():
        shards = read_index(path) if is_index(path) else ()
        return digests.of_all(path.parent, [path.name, *shards])
    names = source_files(path)
    if not names:
        raise WeightsError(
            f"{path} is not a weights folder: it has no card.json and no file ending in"
            f" {', '.join(SAFE + PICKLES)}"
        )
    return digests.of_all(path, names)


def check_import(folder: Path, sha256: Mapping[str, str]) -> None:
    """Refuse an imported folder whose files are not as the importer wrote them.

    Raises:
        WeightsError: a file changed, or what is told of them is damaged.
    """
    made = read_table(folder / ORIGIN).get("made")
    made = made if isinstance(made, dict) else {}
    changed = [name for name, digest in sha256.items() if made.get(name) != digest]
    if changed:
        raise WeightsError(
            f"{folder}: {', '.join(changed)} changed since the import;"
            " remove the folder and repeat the command"
        )
