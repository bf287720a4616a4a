from .config import TrainConfig as TrainConfig
from .fit import fit as fit
from .job import FitJob as FitJob, Fitted as Fitted
from .processes import Processes as Processes, processes as processes
from .task import (
    JudgingTask as JudgingTask,
    SettlingTask as SettlingTask,
    TrainTask as TrainTask,
)
