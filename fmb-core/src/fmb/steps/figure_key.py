"""What a figure is made from, as a key: equal keys, equal figures."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from fmb.contract.inputs import Batch
from fmb.contract.names import VectorName
from fmb.contract.plot import PlotData, PlotSpec
from fmb.plan.choice import Chosen
from fmb.plan.figures import needed_tables
from fmb.runs.run import Run
from fmb.store.keys import array_key, content_key
from fmb.store.tables import read_meta

__all__ = ["figure_key"]


def figure_key(plot: Chosen[PlotSpec], data: PlotData, runs: Sequence[Run], dpi: int) -> str:
    """64 hexadecimal characters that tell a figure from any other.

    The versions of the figure's distribution and of what it draws with are not in it: whoever
    changes how a figure looks raises its `revision`. Neither is the name of a single run.

    Args:
        plot: the figure.
        data: what it is drawn from.
        runs: those of `data`.
        dpi: its resolution.

    Raises:
        StoreError: something it is made from is damaged.
    """
    return content_key(
        {
            "figure": [plot.component.qualified, plot.component.distribution, plot.spec.revision],
            "config": plot.config.model_dump(mode="json"),
            "dpi": dpi,
            "title": data.title,
            "notes": [note.text for note in data.notes],
            "runs": [_read_of(run, plot.spec, data) for run in runs],
        }
    )


def _read_of(run: Run, spec: PlotSpec, data: PlotData) -> dict[str, Any]:
    """What a figure says that it reads of a run: of its own list or view, where it shows one."""
    lists = [name for name in run.lists if data.list in (None, name)]
    views = data.list.vectors if data.list else run.vector_names
    own = [name for name in run.vector_names if name in views and data.view in (None, name)]
    scored = {"scores", "details"} & set(spec.needs)
    return {
        "read": run.reads(data.list) if data.list else None,
        "objects": read_meta(run.folder.objects).get("key"),
        "hidden": _hidden(run),
        "lists": [[str(name), run.record(name)["key"]] for name in lists if scored],
        "vectors": [
            {name: value for name, value in entry.items() if name != "computed"}
            for entry in run.manifest["vectors"]
            if "vectors" in spec.needs and VectorName(**entry["name"]) in own
        ],
        "cutouts": [
            _batch_key(run.cutouts(name, len(run.objects)))
            for name in lists
            if "cutouts" in spec.needs
        ],
        "tables": [
            [label, table, read_meta(run.folder.table(label, table)).get("key")]
            for label, table in needed_tables(spec.needs)
        ],
    }


def _hidden(run: Run) -> str:
    """Digest of the objects that are not shown for their labels; "" where all are."""
    return array_key(run.shown.keeps(run.labels)) if run.shown else ""


def _batch_key(batch: Batch) -> str:
    """Of all values of a batch and all that is said of them, instruments in their order."""
    return content_key(
        [
            array_key(batch.ids),
            *(
                [name, type(value).__name__, array_key(batch.rows[name]), _values(value)]
                for name, value in batch.inputs.items()
            ),
        ]
    )


def _values(value: Any) -> Mapping[str, Any]:
    plain = {field.name: getattr(value, field.name) for field in fields(value)}
    return {k: array_key(v) if isinstance(v, np.ndarray) else v for k, v in plain.items()}
