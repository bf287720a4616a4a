from .bits import key_bits as key_bits, scrambled as scrambled
from .positions import stable_order as stable_order
