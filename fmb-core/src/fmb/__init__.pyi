from .contract.analysis import AnalysisSpec as AnalysisSpec
from .contract.arrays import Array as Array, Rows as Rows, per_row as per_row
from .contract.command import CommandSpec as CommandSpec
from .contract.config import Config as Config
from .contract.dataset import ROLES as ROLES, Dataset as Dataset, DatasetSpec as DatasetSpec
from .contract.detector import DetectorSpec as DetectorSpec
from .contract.embedder import EmbedderSpec as EmbedderSpec
from .contract.engine import EngineSpec as EngineSpec, Resources as Resources
from .messages.errors import (
    ConfigError as ConfigError,
    DataError as DataError,
    FailedError as FailedError,
    FmbError as FmbError,
    NotFittedError as NotFittedError,
    PluginError as PluginError,
    ScoreError as ScoreError,
    ShapeError as ShapeError,
    StoppedError as StoppedError,
    StoreError as StoreError,
    UnknownNameError as UnknownNameError,
    WeightsError as WeightsError,
    did_you_mean as did_you_mean,
)
from .contract.hooks import API_VERSION as API_VERSION, hookimpl as hookimpl
from .contract.inputs import (
    Batch as Batch,
    Columns as Columns,
    Images as Images,
    InputInfo as InputInfo,
    Inputs as Inputs,
    Spectra as Spectra,
)
from .contract.model import (
    Accepts as Accepts,
    ModelSpec as ModelSpec,
    Tokens as Tokens,
    WeightsSpec as WeightsSpec,
)
from .contract.names import ListName as ListName, VectorName as VectorName
from .messages.notes import Note as Note
from .contract.plot import PlotData as PlotData, PlotSpec as PlotSpec
from .messages.progress import Progress as Progress, quiet as quiet
from .contract.run_data import RunData as RunData
from .contract.vector_view import VectorView as VectorView
from .contract.vectors import Members as Members, Pairs as Pairs, Vectors as Vectors
from .embedding.embed import run_shards as run_shards
from .plan.session import Session as Session
from .plugins.environment import environment as environment
from .plugins.settings import (
    build as build,
    merge as merge,
    parse_setting as parse_setting,
    read_toml as read_toml,
)
from .runs.run import Run as Run, open_run as open_run
from .runs.run_table import runs as runs
from .steps.execute import detect as detect, embed as embed, run as run
from .terminal.progress import progress as progress
