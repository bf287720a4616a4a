from .limits import Limit as Limit
from .where import Where as Where
