from .contract.config import Config as Config
from .contract.dataset import DatasetSpec as DatasetSpec
from .contract.detector import DetectorSpec as DetectorSpec
from .contract.embedder import EmbedderSpec as EmbedderSpec
from .contract.errors import FmbError as FmbError
from .contract.hooks import API_VERSION as API_VERSION, hookimpl as hookimpl
from .contract.inputs import (
    Batch as Batch,
    Columns as Columns,
    Images as Images,
    Inputs as Inputs,
    Spectra as Spectra,
)
from .contract.model import (
    Accepts as Accepts,
    ModelSpec as ModelSpec,
    Tokens as Tokens,
    WeightsSpec as WeightsSpec,
)
from .contract.plot import PlotData as PlotData, PlotSpec as PlotSpec
from .contract.vectors import (
    Embeddings as Embeddings,
    Members as Members,
    Pairs as Pairs,
    Vectors as Vectors,
)
from .runs.results import Run as Run, open_run as open_run
from .steps.execute import run as run
