"""A session: what is installed and where things are kept; it makes plans."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from fmb.contract.dataset import Dataset
from fmb.datasets.copies import require_hosts
from fmb.datasets.objects import TEXT_ROLES, numbers, object_table
from fmb.datasets.opening import find_reader, open_with
from fmb.datasets.quality import position_findings, summary
from fmb.datasets.selection import select
from fmb.files.ids import refuse_duplicates
from fmb.messages.errors import ConfigError
from fmb.messages.notes import Note
from fmb.messages.progress import Progress
from fmb.own.beside_survey import bring
from fmb.own.vector_file import VectorFile, open_vector_file
from fmb.plan.components import check_embedders
from fmb.plan.figures import choose_engine, plan_analyses, plan_plots
from fmb.plan.file_names import refuse_long_names
from fmb.plan.given import check_given, give_roles, redshift_notes
from fmb.plan.lists import Judged, choose_judges, plan_lists
from fmb.plan.measured import measured_instruments, ungiven_notes
from fmb.plan.models import bind_model, choose_weights
from fmb.plan.records import Plan
from fmb.plan.tensor_files import TENSOR_FILES
from fmb.plugins.loading import load_plugins
from fmb.plugins.registry import Registry
from fmb.request.record import Request
from fmb.store.atomic import ensure_folder
from fmb.store.digests import Digests
from fmb.store.workspace import workspace
from fmb.terminal.progress import progress as seen
from fmb.terminal.progress import stage
from fmb.vectors.asked import OwnVectors

__all__ = ["STEPS", "Session"]

logger = logging.getLogger(__name__)

STEPS = ("embed", "detect", "analyze", "plot")
"""What a run does; "train" stands alone."""


@dataclass(frozen=True)
class Session:
    """The installed components, the workspace, and who is told how far work is.

    Example:
        session = Session.open()
        plan = session.plan(request, steps=("embed",))
    """

    registry: Registry
    workspace: Path
    progress: Progress = seen

    @classmethod
    def open(cls, progress: Progress = seen, *, home: Path | None = None) -> "Session":
        """The session of this environment.

        Args:
            progress: told how far long work is; by default a terminal or notebook.
            home: the workspace; None = as `fmb paths` says.

        Raises:
            FailedError: the workspace cannot be made or written to.
        """
        return cls(load_plugins().registry, ensure_folder(home or workspace()), progress)

    def plan(self, request: Request, steps: Collection[str] = STEPS) -> Plan:
        """Resolve and check everything a request names; nothing is computed.

        Args:
            request: what the user asks for.
            steps: those of `STEPS` that are planned, or "train": then models are bound to what
                they learn from, which their weights may not accept yet.

        Raises:
            FmbError: a name, key, file, input or weights that do not work.
        """
        registry = self.registry
        survey = self._survey(request)
        data = request.data.model_copy(update={"source": survey.source})
        request = request.model_copy(update={"data": data})  # so that run.toml names it
        # Names first: a misspelt one must not wait for a survey to be simulated.
        for line in check_embedders(request, registry):
            logger.warning("%s", line)
        judges = choose_judges(request, registry) if "detect" in steps else ()
        check_given(judges, request)
        plots, broken_plots = plan_plots(request, registry) if "plot" in steps else ((), {})
        analyses = plan_analyses(request.analysis, plots, registry) if "analyze" in steps else ()
        engine = choose_engine(request.engine, registry)
        with stage(self.progress, "check weights"):
            weighted = choose_weights(
                request,
                registry,
                self.workspace,
                simulated=survey.simulated,
                inputs=lambda: survey.open().inputs,
            )
        with stage(self.progress, f"read {survey.title}"):
            opened = survey.open()
            dataset = select(
                opened,
                where=data.where,
                limit=data.limit,
                include=data.include,
                exclude=data.exclude,
                split=data.split,
            )
        refuse_duplicates(dataset.ids, str(survey.source or "vectors"))
        own = request.embeddings
        if own is not None and survey.source is not None:
            dataset = bring(dataset, opened.ids, self._own_vectors(own))
        _refuse_text(dataset, str(survey.source or (own and (own.catalog or own.file[0]))))
        beyond, train = request.run.allow_out_of_domain, "train" in steps
        models = tuple(
            bind_model(
                one,
                dataset,
                workspace=self.workspace,
                allow_out_of_domain=beyond,
                train=train,
            )
            for one in weighted
        )
        judged = [Judged(name, inputs=tuple(dataset.inputs)) for name in dataset.vectors]
        judged.extend(one for model in models for one in Judged.of_model(model))
        judges, told = give_roles(judges, request, dataset)
        lists = plan_lists(judges, judged)
        refuse_long_names(lists, plots)
        wrong = summary(position_findings(dataset), severity=False)
        if "detect" in steps:
            wrong.extend(require_hosts(object_table(dataset)))
        notes = [Note("data", line) for line in (*dataset.warnings, *wrong)]
        notes.extend(note for model in models for note in model.notes)
        notes.extend(
            [*told, *redshift_notes(lists, models, dataset), *ungiven_notes(lists, judges)]
        )
        if survey.simulated:
            notes = _simulated(notes)
        return Plan(
            request=request,
            recorded=request.model_dump(mode="json", exclude_none=True),
            name=survey.run_name(dataset, request),
            survey=survey.folder_name(dataset),
            workspace=self.workspace,
            progress=self.progress,
            dataset=dataset,
            models=models,
            lists=lists,
            measured=measured_instruments(lists),
            analyses=analyses,
            plots=plots,
            broken_plots=broken_plots,
            engine=engine,
            notes=tuple(notes),
        )

    def _own_vectors(self, own: OwnVectors) -> VectorFile:
        """The user's own vectors; what has to be decoded is, once."""
        digests = Digests(self.workspace)
        return open_vector_file(own, digests, progress=self.progress, more=TENSOR_FILES)

    def _survey(self, request: Request) -> "_Survey":
        """The objects that are asked for, not opened yet.

        Raises:
            ConfigError: a model or survey is named where it has nothing to do.
            FmbError: nothing opens the data.
        """
        own, data = request.embeddings, request.data
        if own is not None and data.source is None:
            for option, given in (("model", request.model), ("reader", data.reader)):
                if given:
                    raise ConfigError(
                        f"--embeddings brings its own objects: leave --{option} out, or name their"
                        " survey with --data"
                    )
            return _Survey(None, False, Path(own.file[0]).stem, lambda: self._own_vectors(own))
        if own is not None and own.catalog:
            raise ConfigError("--data is the catalogue of --embeddings: leave --catalog out")
        reader = find_reader(data.source, data.reader, self.registry)
        source = reader.spec.name if data.source is None else data.source
        return _Survey(
            source,
            reader.spec.simulated,
            "" if "://" in source or Path(source).exists() else source,
            lambda: open_with(
                reader,
                source,
                data.settings,
                cache=self.workspace / "data",
                progress=lambda done, total: self.progress(f"make {source}", done, total),
            ),
        )


def _simulated(notes: Sequence[Note]) -> list[Note]:
    """The notes of a simulated survey: that it is one first, and that weights are small with it."""
    small = any(note.code == "small-weights" for note in notes)
    what = "simulated data, small weights" if small else "simulated data"
    others = [note for note in notes if note.code != "small-weights"]
    return [Note("simulated", f"{what}: not evidence"), *others]


def _refuse_text(dataset: Dataset, file: str) -> None:
    """Refuse text where positions or a role take numbers, before anything is computed.

    Raises:
        DataError: names the file, the column and the first such value.
    """
    roles = dataset.catalog.attrs.get("roles", {})
    counted = [column for role, column in roles.items() if role not in TEXT_ROLES]
    for name in ("ra", "dec", *counted):
        if name in dataset.catalog:
            numbers(dataset.catalog[name], file)


@dataclass(frozen=True)
class _Survey:
    """What is named, before it is read."""

    source: str | None
    """None where vectors take its place."""
    simulated: bool
    name: str
    """What runs on it are named after; "" = as it calls itself."""
    open: Callable[[], Dataset]

    @property
    def title(self) -> str:
        """What people call it: the name of a dataset or a file."""
        return Path(self.source or self.name).name

    def run_name(self, dataset: Dataset, request: Request) -> str:
        """The name of a run on it, fit for a folder."""
        name = self.name or str(dataset.identity.get("name", self.source))
        return _fit("-".join([name, *request.model, *request.detector]))

    def folder_name(self, dataset: Dataset) -> str:
        """What it calls itself, else its file's name, fit for a folder."""
        named = dataset.identity.get("name") or Path(self.source or self.name).stem
        return _fit(str(named)).lstrip(".") or "survey"


def _fit(name: str) -> str:
    """The name with a hyphen for whatever does not fit a folder's, fit to be typed."""
    fit = "".join(c if c.isalnum() or c in "._-" else "-" for c in name).strip("-.") or "run"
    return fit.encode()[:200].decode(errors="ignore")  # the system counts bytes, not letters
