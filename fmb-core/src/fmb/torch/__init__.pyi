from .device import (
    DTYPES as DTYPES,
    autocast as autocast,
    one_thread as one_thread,
    resolve_device as resolve_device,
)
from .embed_loop import (
    EmbedJob as EmbedJob,
    Encoded as Encoded,
    Together as Together,
    embed as embed,
)
from .embedders import by_segment as by_segment, weighted_mean as weighted_mean
from .filling import fill as fill, read_tensors as read_tensors
from .workers import begin_worker as begin_worker
