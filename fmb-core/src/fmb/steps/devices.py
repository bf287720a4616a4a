"""Where detectors compute."""

from fmb.plan.records import Plan

__all__ = ["detector_devices"]


def detector_devices(plan: Plan) -> dict[str, str]:
    """Label of each detector -> where it computes.

    A detector that does without torch computes on the CPU when nobody says otherwise, so that torch
    is not imported to look for a GPU.

    Raises:
        ConfigError: the device that was asked for is not there.
    """
    asked = plan.request.run.device
    devices = {}
    for detector in {one.detector.label: one.detector for one in plan.lists}.values():
        if asked == "cpu" or (asked == "auto" and "torch" not in detector.spec.requires):
            devices[detector.label] = "cpu"
        else:
            from fmb.torch.device import resolve_device  # loads torch

            devices[detector.label] = resolve_device(asked)
    return devices
