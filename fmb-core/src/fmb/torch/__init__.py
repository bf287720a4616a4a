"""Everything of the core that needs torch; nothing else of it imports torch."""

from fmb.torch.device import DTYPES, autocast, one_thread, resolve_device
from fmb.torch.embed_loop import EmbedJob, Encoded, embed
from fmb.torch.filling import fill, read_tensors
from fmb.torch.fit_loop import FitJob, Fitted, fit
from fmb.torch.processes import Processes, processes

__all__ = [
    "DTYPES",
    "EmbedJob",
    "Encoded",
    "FitJob",
    "Fitted",
    "Processes",
    "autocast",
    "embed",
    "fill",
    "fit",
    "one_thread",
    "processes",
    "read_tensors",
    "resolve_device",
]
