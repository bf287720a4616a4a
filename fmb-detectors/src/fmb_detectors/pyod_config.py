"""Options of the methods of PyOD."""

from functools import cached_property
from typing import Any

from pydantic import Field, ValidationInfo, computed_field, field_validator

from fmb import Config, FmbError, did_you_mean

__all__ = ["PyodConfig"]


class PyodConfig(Config):
    """A method of PyOD and its options."""

    method: str
    """Class of PyOD, for instance ECOD, HBOS, KPCA or AutoEncoder."""
    options: dict[str, Any] = Field(default={}, validate_default=True)
    """Of the class, by its own names; one named random_state is the seed unless it is given."""

    @field_validator("method")
    @classmethod
    def _is_there(cls, name: str) -> str:
        # Imported here: who only looks at the options need not have PyOD.
        from fmb_detectors.pyod_methods import method

        try:
            method(name)
        except FmbError as error:
            raise ValueError(str(error)) from None
        return name

    @field_validator("options")
    @classmethod
    def _makes_one(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        from fmb_detectors.contained import contained
        from fmb_detectors.pyod_methods import method, method_options

        if "method" not in info.data:
            return options  # which is refused already
        name = info.data["method"]
        known = method_options(method(name))
        for option in options:
            if option not in known:
                hint = did_you_mean(option, known)
                raise ValueError(f"no option of {name} is called {option!r}{hint}")
        try:
            with contained(0):
                method(name)(**options)
        except (TypeError, ValueError, ImportError) as error:
            raise ValueError(f"makes no {name}: {' '.join(str(error).split())}") from None
        return options

    @computed_field  # type: ignore[prop-decorator]  # as pydantic writes it
    @cached_property
    def pyod(self) -> str:
        """Version of PyOD: a list is made anew when another is installed."""
        from fmb_detectors.pyod_methods import pyod_version

        return pyod_version()
