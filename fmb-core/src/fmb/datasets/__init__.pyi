from .copies import changed_copies as changed_copies, host_texts as host_texts
from .derived import derive as derive
from .groups import group_keys as group_keys, near_pairs as near_pairs
from .holes import fill_holes as fill_holes
from .objects import (
    by_slots as by_slots,
    objects_at as objects_at,
    role_columns as role_columns,
)
from .opening import open_dataset as open_dataset
from .quality import disordered as disordered
from .selection import Selection as Selection, select as select
