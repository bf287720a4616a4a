from .config import PlantingConfig as PlantingConfig
from .kinds import (
    KINDS as KINDS,
    ORDINARY as ORDINARY,
    Kind as Kind,
    find_kind as find_kind,
)
from .wrapper import Planted as Planted
