"""The analyze step: tables made from a run, or from several, and kept by what they depend on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fmb.contract.analysis import AnalysisSpec
from fmb.files.ids import locate
from fmb.messages.errors import ConfigError, DataError, PluginError
from fmb.messages.progress import Progress
from fmb.plan.choice import Chosen
from fmb.runs.run import Run
from fmb.store.atomic import ensure_folder, publish_json
from fmb.store.keys import content_key, derive_seed
from fmb.store.tables import read_meta, write_table
from fmb.terminal.progress import stage

__all__ = ["analyze_run", "analyze_runs"]


def analyze_run(
    run: Run, analyses: Sequence[Chosen[AnalysisSpec]], seed: int, progress: Progress
) -> list[Path]:
    """Make the tables of analyses over one run; those that are there under their key stay.

    Args:
        run: what they read.
        analyses: in the order in which they are made.
        seed: of everything drawn.
        progress: told how far it is.

    Returns:
        The files, `analyses/<label>.<table>.parquet` in the run folder.

    Raises:
        FmbError: an analysis fails, or gives other tables than its record names.
    """
    paths: list[Path] = []
    for one in analyses:
        place = {table: run.folder.table(one.label, table) for table in one.spec.tables}
        paths += _tables(one, [run], place, seed, progress)
    return paths


def analyze_runs(
    runs: Sequence[Run], one: Chosen[AnalysisSpec], seed: int, progress: Progress
) -> list[Path]:
    """Make the tables of an analysis over several runs, in a folder of the workspace.

    Args:
        runs: two or more, which share objects.
        one: the analysis.
        seed: of everything drawn.
        progress: told how far it is.

    Returns:
        The files, in `<workspace>/analyses/<name>-<key>/`, beside `manifest.json`.

    Raises:
        ConfigError: there are fewer than two runs.
        DataError: the runs have no object in common.
        FmbError: the analysis fails, or gives other tables than its record names.
    """
    if len(runs) < 2:
        raise ConfigError(f"analysis {one.label!r} compares runs: name at least two")
    _require_common(runs)
    key = _key(one, runs, seed)
    folder = ensure_folder(runs[0].home / "analyses" / f"{one.spec.name}-{key[:8]}")
    place = {table: folder / f"{table}.parquet" for table in one.spec.tables}
    paths = _tables(one, runs, place, seed, progress)
    record = {"runs": [run.name for run in runs], "analysis": one.identity, "key": key}
    publish_json(folder / "manifest.json", record)
    return paths


def _tables(
    one: Chosen[AnalysisSpec],
    runs: Sequence[Run],
    place: Mapping[str, Path],
    seed: int,
    progress: Progress,
) -> list[Path]:
    key = _key(one, runs, seed)
    if all(read_meta(path).get("key") == key for path in place.values()):
        return list(place.values())
    own_seed = derive_seed(seed, "analysis", one.component.qualified)
    with stage(progress, f"analyze {one.label}"):
        made: Any = one.new(seed=own_seed).analyze(runs, progress)
    got = list(made) if isinstance(made, Mapping) else []
    if set(got) != set(place) or not all(isinstance(t, pd.DataFrame) for t in made.values()):
        raise PluginError(
            f"analysis {one.label!r} of plugin {one.component.plugin!r} gave tables"
            f" {', '.join(map(str, got)) or 'none'}; its record names {', '.join(place)}, each a"
            " pandas DataFrame"
        )
    for table, path in place.items():
        ensure_folder(path.parent)
        write_table(path, made[table], {"key": key, "about": one.spec.tables[table]})
    return list(place.values())


def _key(one: Chosen[AnalysisSpec], runs: Sequence[Run], seed: int) -> str:
    """Everything the tables depend on."""
    content = [
        [
            run.name,
            read_meta(run.folder.objects).get("key"),
            [[entry["title"], entry["key"]] for entry in run.manifest["lists"]],
            run.manifest["vectors"],
        ]
        for run in runs
    ]
    return content_key({"analysis": one.identity, "runs": content, "seed": seed})


def _require_common(runs: Sequence[Run]) -> None:
    first, *others = [run.objects["object_id"].to_numpy() for run in runs]
    for run, ids in zip(runs[1:], others, strict=True):
        if not (locate(ids, first) >= 0).any():
            raise DataError(
                f"runs {runs[0].name!r} and {run.name!r} have no object in common: compare runs of"
                " one survey"
            )
