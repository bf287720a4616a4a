from .matching import feeds as feeds
from .option_table import Option as Option
from .options import options_request as options_request
from .records import ModelPlan as ModelPlan, Plan as Plan
from .session import Session as Session
