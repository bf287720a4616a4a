"""What other packages import of `fmb_train`, and what that costs."""

import subprocess
import sys

import fmb_train

PUBLIC = {
    "FitJob",
    "Fitted",
    "JudgingTask",
    "Processes",
    "SettlingTask",
    "TrainConfig",
    "TrainTask",
    "fit",
    "processes",
}


def test_every_public_name_is_there():
    assert set(fmb_train.__all__) == PUBLIC
    for name in PUBLIC:
        assert getattr(fmb_train, name).__module__.startswith("fmb_train.")


def test_the_loop_is_a_function_whatever_was_imported_before():
    """`fmb_train.fit` is a module too, and so is `fmb_train.processes`."""
    code = (
        "import fmb_train.fit, fmb_train.processes, fmb_train.retrain\n"
        "from fmb_train import fit, processes\n"
        "assert fit.__name__ == 'fit' and processes.__name__ == 'processes'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_settings_are_configured_without_torch():
    code = (
        "import sys\n"
        "from fmb_train import TrainConfig\n"
        "assert TrainConfig().epochs == 30\n"
        "assert not {'torch', 'numpy', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
