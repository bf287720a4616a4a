"""Checks a package that is installed without its siblings: `python check.py fmb-viz`.

Every component it declares must load with its configuration, and no sibling may be there.
"""

import sys
from importlib.metadata import distributions
from importlib.util import find_spec

from fmb.contract.hooks import HOOKS
from fmb.plugins.loading import load_plugins


def check(package: str) -> str:
    """One line that says what works; SystemExit where something does not."""
    ours = {dist.name for dist in distributions() if dist.name.startswith("fmb-")}
    if siblings := ours - {"fmb-core", package}:
        raise SystemExit(f"{package} is not alone: {', '.join(sorted(siblings))}")
    if package == "fmb-core" and find_spec("torch"):
        raise SystemExit("fmb-core alone must do without torch, which is installed here")
    components = [
        component
        for kind in HOOKS
        for component in load_plugins(strict=True).registry.all(kind)
        if component.distribution == package
    ]
    if not components:
        raise SystemExit(f"{package} declares nothing")
    for component in components:
        if package == "fmb-core" and component.spec.kind == "embedder":
            continue  # needs torch, which every package with a model brings
        component.load()
        component.load_config()
    return f"{package} alone: {', '.join(component.qualified for component in components)}"


if __name__ == "__main__":
    print(check(sys.argv[1]))
