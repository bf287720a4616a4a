"""Measured roles of a plan: on which instruments, and for which lists."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fmb.contract.inputs import InputInfo
from fmb.measured.images import OF_A_FLUX_SCALE
from fmb.measured.roles import MEASURED, measured_on_kind
from fmb.messages.errors import DataError
from fmb.messages.notes import Note
from fmb.plan.lists import Judge
from fmb.plan.records import ListPlan

__all__ = ["Measurable", "is_measured", "measured_instruments", "ungiven_notes"]

CHOSEN = ("sky", "noise", "light")
"""Given unasked to lists of images where the catalogue tells nothing: how bright it is, and how it
was observed. Not where the light is, which strange objects are strange by."""


def is_measured(role: str) -> bool:
    """True for "light", and for "light@euclid", that of one instrument."""
    return role.partition("@")[0] in MEASURED


@dataclass(frozen=True)
class Measurable:
    """What can be measured on the inputs of a survey."""

    inputs: Mapping[str, InputInfo]
    """Instrument -> what is there."""

    def on_instruments(self, asked: Sequence[str], where: str) -> tuple[str, ...]:
        """Roles with each measured one on the instruments that have it, as "light@euclid".

        Pictures without a flux scale do not tell all that others do; `untold` says which.

        Args:
            asked: roles, those of the catalogue too, which stay as they are.
            where: names the setting in messages.

        Raises:
            DataError: no input has a role, or what is there tells none of those asked for.
        """
        found: dict[str, None] = {}
        for role in asked:
            if not is_measured(role):
                found[role] = None
                continue
            some = self._with(role)
            if not some:
                raise DataError(self._nowhere(role, where))
            found.update(dict.fromkeys(f"{role.partition('@')[0]}@{name}" for name in some))
        told = tuple(role for role in found if not self._is_stretched(role))
        if asked and not told:
            raise DataError(f"{where} names {', '.join(asked)}: {self.untold(asked)}")
        return told

    @property
    def chosen(self) -> tuple[str, ...]:
        """What lists of images are given unasked."""
        images = [name for name, info in self.inputs.items() if info.kind == "images"]
        roles = [f"{role}@{name}" for name in images for role in CHOSEN]
        return tuple(role for role in roles if not self._is_stretched(role))

    def untold(self, asked: Sequence[str]) -> str:
        """Which of the roles pictures without a flux scale do not tell, "" for none."""
        every = [(role, name) for role in asked if is_measured(role) for name in self._with(role)]
        lost = [
            (role.partition("@")[0], name)
            for role, name in every
            if self._is_stretched(f"{role.partition('@')[0]}@{name}")
        ]
        if not lost:
            return ""
        roles, names = (", ".join(dict.fromkeys(one[at] for one in lost)) for at in (0, 1))
        return f"pictures stretched for display ({names}) do not tell {roles}"

    def _with(self, role: str) -> list[str]:
        """Instruments of the kind that a role is measured on."""
        name, _, own = role.partition("@")
        return [
            instrument
            for instrument, info in self.inputs.items()
            if own in ("", instrument) and name in measured_on_kind(info.kind)
        ]

    def _is_stretched(self, role: str) -> bool:
        """True for what the stretch of a picture has made."""
        name, _, own = role.partition("@")
        return name in OF_A_FLUX_SCALE and own != "" and self.inputs[own].unit == "display"

    def _nowhere(self, role: str, where: str) -> str:
        plain = role.partition("@")[0]
        kinds = [kind for kind in ("images", "spectra") if plain in measured_on_kind(kind)]
        named = f"{where} names {role!r}, which is measured on {' and '.join(kinds)}"
        if not self.inputs:
            return f"{named}: vectors alone have none, name their survey with --data"
        here = ", ".join(f"{name} ({info.kind})" for name, info in self.inputs.items())
        return f"{named}; the inputs are {here}"


def measured_instruments(lists: Sequence[ListPlan]) -> tuple[str, ...]:
    """Instruments on whose inputs roles have to be measured, sorted."""
    roles = {role for one in lists for role in (*one.name.given, *one.roles)}
    return tuple(sorted({role.partition("@")[2] for role in roles if is_measured(role)}))


def ungiven_notes(lists: Sequence[ListPlan], judges: Sequence[Judge]) -> Iterator[Note]:
    """Which lists are given nothing, because nothing of it is measured on what they judge."""
    given = {judge.detector.label: judge.given for judge in judges}
    for one in lists:
        roles = given.get(one.detector.label, ())
        if roles and not one.name.given and not one.roles:
            told = ", ".join(dict.fromkeys(role.partition("@")[0] for role in roles))
            text = f"{one.name} is given nothing: its inputs have no {told}"
            yield Note("given", text, about=str(one.name))
