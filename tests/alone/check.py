"""Checks a package that is installed without its siblings: `python check.py fmb-viz`.

Every component it declares must load with its configuration, and no sibling may be there.
"""

import sys
from importlib.metadata import distributions

from fmb.hookspecs import HOOKS
from fmb.plugins import load_plugins

package = sys.argv[1]
siblings = {dist.name for dist in distributions()} & {"fmb-astropt", "fmb-detectors", "fmb-viz"}
if unexpected := siblings - {package}:
    raise SystemExit(f"{package} is not alone: {', '.join(sorted(unexpected))}")

plugins = load_plugins(strict=True)
components = [
    component
    for kind in HOOKS
    for component in plugins.registry.all(kind)
    if component.distribution == package
]
if not components:
    raise SystemExit(f"{package} declares nothing")
for component in components:
    component.load()
    component.load_config()
print(f"{package} alone: {', '.join(component.qualified for component in components)}")
