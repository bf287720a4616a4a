from .detector_contract import DetectorContract as DetectorContract
from .model_contract import ModelContract as ModelContract
