from .option_table import Option as Option
from .options import options_request as options_request
