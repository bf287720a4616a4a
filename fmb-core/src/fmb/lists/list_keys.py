"""What a list is kept under: all that it depends on."""

from typing import Any

from fmb.conditioning.conditioned import REVISION as CONDITIONING
from fmb.contract.names import ListName, VectorName
from fmb.datasets.objects import role_columns
from fmb.lists.fused_list import fusion_terms
from fmb.lists.judged import Survey
from fmb.plan.records import ListPlan
from fmb.request.record import RunOptions
from fmb.store.keys import array_key, content_key

__all__ = ["ListKeys"]

FORMAT = "fmb-list/4"
"""Of what is kept of a list, folds included; part of its key."""


class ListKeys:
    """Everything a list depends on, as digests."""

    def __init__(self, survey: Survey, options: RunOptions) -> None:
        self._survey, self._options = survey, options
        self._nuisances = survey.nuisances.key
        self.known: dict[ListName, str] = {}
        """Of the lists asked for so far."""

    def of(self, one: ListPlan) -> str:
        """The key of a list; of one made of lists, after theirs."""
        survey, options, spec = self._survey, self._options, one.detector.spec
        reference = None if survey.reference is None else dict(survey.reference.identity)
        columns = role_columns(survey.objects, spec.columns)
        given = role_columns(survey.objects, (*one.name.given, *one.roles))
        conditioned = {
            "given": [[role, array_key(values)] for role, values in given.items()],
            "conditioning": CONDITIONING,
        }
        self.known[one.name] = content_key(
            {
                "format": FORMAT,
                "of": [self._judged(part) for part in one.name.of],
                "objects": survey.digest,
                "detector": one.detector.identity,
                "columns": {role: array_key(values) for role, values in columns.items()},
                "nuisances": self._nuisances,
                "fit": [options.fit, options.folds, options.fold_by, options.seed],
                "places": survey.places if options.fold_by == "sky" else None,
                "reference": reference,
                "fusion": fusion_terms(one),
                **(conditioned if given else {}),
            }
        )
        return self.known[one.name]

    def _judged(self, part: VectorName | ListName) -> Any:
        if isinstance(part, ListName):
            return self.known[part]
        if part not in self._survey.views:
            return part.stem  # rows of the catalogue, whose values are in the key
        view = self._survey.views[part]
        return [dict(view.identity), array_key(view.rows)]
