from .groups import group_keys as group_keys
from .holes import fill_holes as fill_holes
from .ids import (
    as_ids as as_ids,
    canonical_order as canonical_order,
    locate as locate,
    parse_ids as parse_ids,
    read_id_file as read_id_file,
    refuse_duplicates as refuse_duplicates,
)
from .objects import by_slots as by_slots, objects_at as objects_at
from .opening import open_dataset as open_dataset
from .quality import disordered as disordered
from .selection import Selection as Selection, select as select
