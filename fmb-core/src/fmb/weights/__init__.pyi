from .card import (
    CARD as CARD,
    TENSORS as TENSORS,
    Card as Card,
    name_of as name_of,
    read_card as read_card,
    read_settings as read_settings,
    write_folder as write_folder,
)
from .sizes import Depth as Depth, Length as Length, Width as Width
