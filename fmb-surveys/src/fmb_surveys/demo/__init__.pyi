from .cached import open_demo as open_demo
from .config import DemoConfig as DemoConfig, DemoEvalConfig as DemoEvalConfig
