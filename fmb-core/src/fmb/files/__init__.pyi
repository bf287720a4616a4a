from .arrow_tables import of_arrow as of_arrow
from .damage import undamaged as undamaged
from .columns import Unreadable as Unreadable, masks_of as masks_of
from .stated import (
    Stated as Stated,
    equal_to as equal_to,
    meant as meant,
    stated as stated,
)
from .hdf5 import (
    attributes as attributes,
    dataset_names as dataset_names,
    find_dataset as find_dataset,
    numeric as numeric,
    open_file as open_file,
    read_column as read_column,
    read_rows as read_rows,
    runs as runs,
    whole as whole,
)
from .ids import (
    as_ids as as_ids,
    canonical_order as canonical_order,
    locate as locate,
    parse_ids as parse_ids,
    read_id_file as read_id_file,
    refuse_duplicates as refuse_duplicates,
)
from .table import Table as Table
from .tables import (
    TABLE_SUFFIXES as TABLE_SUFFIXES,
    is_table as is_table,
    read_table as read_table,
)
