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
from .filling import fill as fill, refuse_huge as refuse_huge
from .reading import (
    read_pickle as read_pickle,
    read_state as read_state,
    read_tensors as read_tensors,
)
from .state_dicts import bare_state as bare_state, nested_state as nested_state
from .workers import begin_worker as begin_worker
