from .atomic import (
    ensure_folder as ensure_folder,
    publish as publish,
    publish_json as publish_json,
    read_json as read_json,
    staged_folder as staged_folder,
    sync as sync,
    write_failure as write_failure,
)
from .digests import Digests as Digests
from .keys import content_key as content_key, derive_seed as derive_seed
from .processes import end_with_parent as end_with_parent
from .workspace import workspace as workspace
