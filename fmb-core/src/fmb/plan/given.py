"""What lists are given: roles of the catalogue, by the request and what the survey has."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from fmb.contract.dataset import Dataset
from fmb.crossfit.small_survey import FOLDS
from fmb.datasets.givable import Givable, check_roles
from fmb.datasets.unknown_values import unknown_lines
from fmb.measured.roles import MEASURED
from fmb.messages.errors import ConfigError
from fmb.messages.notes import Note
from fmb.plan.lists import Judge
from fmb.plan.measured import Measurable, is_measured
from fmb.plan.records import ListPlan, ModelPlan
from fmb.request.record import Request

__all__ = ["check_given", "give_roles", "redshift_notes"]


def check_given(judges: Sequence[Judge], request: Request) -> None:
    """Refuse roles that are none, or a detector that has no use for them.

    Raises:
        ConfigError: its lists are made of lists, or it is a rule; or a role is of text.
        UnknownNameError: there is no such role.
    """
    check_roles(request.run.given, "given", MEASURED)
    specs = {one.detector.label: one.detector.spec for one in judges}
    for label, table in request.detector.items():
        where = f"detector.{label}.given"
        if label not in specs or table.given is None or isinstance(table.given, str):
            continue
        spec = specs[label]
        if spec.scope == "fusion":
            raise ConfigError(f"{where}: a list made of lists is given nothing; give it to these")
        if not spec.fitted:
            raise ConfigError(f"{where}: a rule takes its scores as they are; leave it out")
        check_roles(table.given, where, MEASURED)


def give_roles(
    judges: Sequence[Judge], request: Request, dataset: Dataset
) -> tuple[tuple[Judge, ...], list[Note]]:
    """The detectors with the roles that their lists are given, and what is to be said of those.

    Unless their own table names roles, lists of two views and of lists are given none: on
    residuals, mismatches rank worse. Rows of the catalogue are judged by what others are given.

    Raises:
        FmbError: the survey has no such role, nothing to measure it on, it tells nothing, or there
            are too few objects.
    """
    n, run = len(dataset), request.run
    folds = run.folds or FOLDS
    catalogue = Givable(dataset.catalog, n - -(-n // folds) if run.fit == "cross-fit" else n)
    measurable = Measurable(dataset.inputs)
    made, notes, chosen = [], list[Note](), False
    for judge in judges:
        label, spec = judge.detector.label, judge.detector.spec
        table = request.detector.get(label)
        own = None if table is None or judge.companion else table.given
        asked, where = run.given, "given"
        if own is not None:
            asked, where = own, f"detector.{label}.given"
        if spec.scope == "catalogue":
            asked = "auto" if asked == "none" else asked
        elif not spec.fitted or (spec.scope != "single" and (own is None or own == "auto")):
            asked = "none"
        chosen = chosen or asked == "auto"
        judged = spec.scope == "catalogue"
        given = catalogue.roles(asked, where, judged=judged, measured=is_measured)
        if asked == "auto" and not judged and catalogue.silent and not catalogue.few:
            given = measurable.chosen
        made.append(replace(judge, given=measurable.on_instruments(given, where)))
        if untold := measurable.untold(given):
            notes.append(Note("given", untold))
    used = list(dict.fromkeys(role for judge in made for role in judge.given))
    notes.extend(Note("given", line) for line in unknown_lines(dataset.catalog, used))
    return tuple(made), [*notes, *(catalogue.notes() if chosen else ())]


def redshift_notes(
    lists: Sequence[ListPlan], models: Sequence[ModelPlan], dataset: Dataset
) -> Iterator[Note]:
    """That lists of what has seen a spectrum are a check of redshifts where they are given them."""
    seen: Mapping[str, ModelPlan] = {model.label: model for model in models}
    for one in lists:
        if "redshift" not in one.name.given:
            continue
        kinds = {
            dataset.inputs[model.bindings.slots[slot]].kind
            for name in one.name.vectors
            if (model := seen.get(name.model))
            for slot in model.spec.views[name.view]
        }
        if "spectra" in kinds:
            yield Note(
                "given",
                f"{one.name}: also a redshift check, since a wrong redshift does not fit its"
                " spectrum",
                about=str(one.name),
            )
