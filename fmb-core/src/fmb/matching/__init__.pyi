from .bindings import feeds as feeds
