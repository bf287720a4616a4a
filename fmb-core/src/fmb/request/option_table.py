"""The options that describe a run: what each is called, where it goes and what it means.

The command line and `fmb.run` take these names; nothing here is imported that `--help` would have
to wait for. Types and defaults are those of the request.
"""

from dataclasses import dataclass

__all__ = ["COMPONENTS", "OPTIONS", "Option", "options_of"]


@dataclass(frozen=True)
class Option:
    """One option."""

    name: str
    """As in Python; on the command line with hyphens."""
    place: str
    """"table.key" of the request; "" for those that name components or settings."""
    metavar: str
    """What stands for its value; "" for a switch."""
    help: str
    group: str
    """Commands take groups: model, input, data, detect, plot, batch, compute, settings ..."""
    repeats: bool = False
    """True when it may be given several times."""
    whole: bool = False
    """True when its value is a whole number."""
    alias: str = ""
    """Another word for it in commands where that means nothing else."""

    @property
    def flag(self) -> str:
        """As typed."""
        return "--" + self.name.replace("_", "-")


def _component(name: str, group: str, help_: str) -> Option:
    return Option(name, "", "[LABEL=]NAME", help_, group, repeats=True)


OPTIONS = (
    _component("model", "model", "Model; repeatable."),
    Option(
        "weights",
        "",
        "[LABEL=]REF",
        "Weights: a name the model declares, a folder, a checkpoint file or hf:REPO@REV.",
        "model",
        repeats=True,
    ),
    Option("view", "", "[LABEL=]VIEW", "View; repeatable.", "model", repeats=True),
    Option("embedder", "", "[LABEL=]NAME", "How tokens become a vector.", "model", repeats=True),
    Option(
        "input",
        "",
        "[LABEL.]SLOT=INSTRUMENT",
        "Which instrument feeds which input, where two would fit.",
        "input",
        repeats=True,
    ),
    Option(
        "allow_out_of_domain",
        "run.allow_out_of_domain",
        "",
        "Use data unlike those of the training.",
        "input",
    ),
    Option(
        "data",
        "data.source",
        "PATH|URL|NAME",
        "Folder, file, survey.toml, URL or a dataset's name.",
        "data",
    ),
    Option("reader", "data.reader", "NAME", "Reader, where two would do.", "data"),
    Option("where", "data.where", "EXPR", 'Selection, as "mag_r < 22 and zwarn == 0".', "data"),
    Option("limit", "data.limit", "N", "N objects, drawn by id.", "data", whole=True),
    Option(
        "include",
        "data.include",
        "FILE",
        "Only the ids in FILE, one a line.",
        "data",
        alias="ids",
    ),
    Option("exclude", "data.exclude", "FILE", "Leave out the ids in FILE, one a line.", "data"),
    Option("split", "data.split", "NAME", "Only objects of this split.", "data"),
    Option("skip_bad", "data.skip_bad", "", "List objects of broken files, use the rest.", "data"),
    _component("detector", "detect", "Detector; repeatable."),
    _component("fusion", "detect", "Fusion of the lists of a model; repeatable."),
    Option("no_companions", "run.companions", "", "Only the detectors named here.", "detect"),
    Option("fit", "run.fit", "cross-fit|in-sample", "How detectors are fitted.", "detect"),
    Option("folds", "run.folds", "K", "Folds of the cross-fit [5].", "detect", whole=True),
    Option("fold_by", "run.fold_by", "group|sky", "What a fold is made of [group].", "detect"),
    Option(
        "reference",
        "run.reference",
        "WHERE|FILE|RUN",
        "Objects asserted to be ordinary; gives p and q values.",
        "detect",
    ),
    Option(
        "embeddings",
        "",
        "FILE|FOLDER",
        "Vectors of your own, instead of a model; repeatable.",
        "detect",
        repeats=True,
    ),
    Option("ids", "embeddings.ids", "NAME|FILE", "Ids of --embeddings [object_id].", "detect"),
    Option(
        "vector_columns",
        "",
        "[VIEW=]f0-f255",
        "Columns of --embeddings that make a vector; repeatable.",
        "detect",
        repeats=True,
    ),
    Option("catalog", "embeddings.catalog", "FILE", "Catalogue of --embeddings.", "detect"),
    Option(
        "catalog_id",
        "embeddings.catalog_id",
        "NAME",
        "Id column of --catalog [object_id].",
        "detect",
    ),
    Option(
        "given",
        "run.given",
        "auto|none|ROLE,...",
        "Roles of the catalogue to be strange given, as magnitude,size [auto].",
        "detect",
    ),
    Option(
        "fitted",
        "run.fitted",
        "RUN",
        "Score the objects of --data by the fits of RUN, and tell drift.",
        "detect",
    ),
    Option("out", "run.name", "NAME", "Name of the run.", "detect"),
    _component("analysis", "plot", "Analysis; repeatable."),
    _component("plot", "plot", "Only the figures named here; repeatable."),
    Option("format", "", "png|pdf|svg", "Of figures [png]; repeatable.", "format", repeats=True),
    Option(
        "top", "run.top", "K", "Objects of each list kept with cutouts [12].", "plot", whole=True
    ),
    Option(
        "batch_size", "run.batch_size", "N", "Objects a forward pass [64].", "batch", whole=True
    ),
    Option("workers", "run.workers", "N", "Reading processes [0].", "compute", whole=True),
    Option("device", "run.device", "auto|cpu|cuda", "Where networks run [auto].", "compute"),
    Option(
        "precision",
        "run.precision",
        "float32|bf16|fp16",
        "Of the networks [float32].",
        "compute",
    ),
    Option(
        "verify",
        "run.verify",
        "",
        "Read every input again; compare a few stored vectors.",
        "compute",
    ),
    Option("retry", "run.retry", "", "Try again what had no vector.", "compute"),
    Option("seed", "run.seed", "N", "Of everything drawn [0].", "compute", whole=True),
    Option(
        "engine",
        "",
        "[LABEL=]NAME",
        "Where vectors are computed [this process].",
        "engine",
        repeats=True,
    ),
    Option(
        "set",
        "",
        "KEY=VALUE",
        "Any setting: detector.LABEL.OPTION=VALUE.",
        "settings",
        repeats=True,
    ),
    Option("config", "", "FILE", "A TOML file of settings.", "settings"),
)
"""Every option, in the order in which `--help` lists them."""

COMPONENTS = ("model", "detector", "analysis", "plot", "engine")
"""Options that label components."""


def options_of(*groups: str) -> list[Option]:
    """The options of some groups, in order."""
    return [option for option in OPTIONS if option.group in groups]
