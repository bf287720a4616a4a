"""Everything of the core that needs torch; nothing else of it imports torch."""

from fmb.torch.device import DTYPES, autocast, one_thread, resolve_device
from fmb.torch.embed_loop import EmbedJob, Encoded, embed
from fmb.torch.filling import fill, read_tensors

__all__ = [
    "DTYPES",
    "EmbedJob",
    "Encoded",
    "autocast",
    "embed",
    "fill",
    "one_thread",
    "read_tensors",
    "resolve_device",
]
