from .survey import Injected as Injected, inject as inject
