from .detector_contract import DetectorContract as DetectorContract
