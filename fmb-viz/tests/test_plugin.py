import subprocess
import sys
from importlib import import_module

import pytest

from fmb import Config
from fmb_viz.plugin import fmb_register_plots

SPECS = list(fmb_register_plots())


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_declared_figure_exists_and_needs_no_options(spec):
    module, name = spec.target.split(":")
    config_module, config_name = spec.config.split(":")
    config = getattr(import_module(config_module), config_name)
    assert issubclass(config, Config)
    assert callable(getattr(import_module(module), name)(config()).draw)


def test_declaring_figures_loads_no_plotting():
    code = (
        "import sys; from fmb_viz.plugin import fmb_register_plots; list(fmb_register_plots());"
        "heavy = {'matplotlib', 'numpy', 'pandas', 'pydantic'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
