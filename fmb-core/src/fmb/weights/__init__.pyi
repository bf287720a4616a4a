from .card import (
    CARD as CARD,
    TENSORS as TENSORS,
    Card as Card,
    read_card as read_card,
    write_folder as write_folder,
)
