from .records import ModelPlan as ModelPlan, Plan as Plan
from .session import Session as Session
