"""Everything of the core that needs torch; nothing else of it imports torch."""

from fmb.torch.device import DTYPES, autocast, resolve_device
from fmb.torch.embed_loop import EmbedJob, Encoded, embed

__all__ = ["DTYPES", "EmbedJob", "Encoded", "autocast", "embed", "resolve_device"]
