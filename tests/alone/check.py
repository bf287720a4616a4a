"""Checks a package that is installed without its siblings: `python check.py fmb-viz`.

Its modules are there, every component it declares loads with its configuration, what an extra would
bring is said with the way to install it, and no sibling may be there.
"""

import pkgutil
import subprocess
import sys
from importlib import import_module
from importlib.metadata import distributions

from fmb.contract.hooks import KINDS
from fmb.contract.spec import ComponentSpec
from fmb.plugins.loading import load_plugins


def check(package: str) -> str:
    """One line that says what works; SystemExit where something does not."""
    ours = {dist.name for dist in distributions() if dist.name.startswith("fmb-")}
    if siblings := ours - {"fmb-core", package}:
        raise SystemExit(f"{package} is not alone: {', '.join(sorted(siblings))}")
    root = import_module("fmb" if package == "fmb-core" else package.replace("-", "_"))
    modules = [module.name for module in pkgutil.iter_modules(root.__path__)]
    if not modules:
        raise SystemExit(f"{package} holds no module")
    registry = load_plugins(strict=True).registry
    components = [
        component
        for kind in KINDS
        for component in registry.all(kind)
        if component.distribution == package
    ]
    for component in components:
        component.load()
        component.load_config()
        if isinstance(component.spec, ComponentSpec):
            for command, extra in component.spec.commands.items():
                refuse(command, f"pip install '{package}[{extra}]'")
    for absent in registry.missing:
        if f"pip install '{absent.origin.distribution}[{absent.spec.extra}]'" not in str(absent):
            raise SystemExit(f"not said how to get it: {absent}")
    names = [component.qualified for component in components] or modules
    return f"{package} alone: {', '.join(names)}; {len(registry.missing)} not available"


def refuse(command: str, advice: str) -> None:
    """See that a command that is not installed is refused in one line, with the way to get it."""
    done = subprocess.run(["fmb", command, "x"], capture_output=True, text=True)
    if (done.returncode, done.stderr.count("\n"), advice in done.stderr) != (2, 1, True):
        raise SystemExit(f"fmb {command}: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    print(check(sys.argv[1]))
