"""Where detectors compute."""

from fmb.plan.records import Plan

__all__ = ["detector_devices", "present_device"]

AUTO = "auto"


def detector_devices(plan: Plan) -> dict[str, str]:
    """Label of each detector -> where it computes, perhaps "auto".

    A detector that does without torch computes on the CPU when nobody says otherwise. For others
    "auto" stays what it is: whoever computes looks for a GPU, and this process, which only hands
    out work, need not wait a second for torch.

    Raises:
        ConfigError: the device that was asked for is not there.
    """
    asked = plan.request.run.device
    if asked != AUTO:
        asked = present_device(asked)
    return {
        one.detector.label: "cpu"
        if asked == AUTO and "torch" not in one.detector.spec.requires
        else asked
        for one in plan.lists
    }


def present_device(device: str) -> str:
    """The device as torch calls it; for "auto" a GPU when there is one.

    Raises:
        ConfigError: it is unknown or not there.
    """
    if device == "cpu":
        return device
    from fmb.torch.device import resolve_device  # loads torch

    return resolve_device(device)
