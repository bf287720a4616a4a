"""Opens a joined survey: each survey by its own reader, then partner by partner."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb import Array, Config, ConfigError, DataError, Dataset, FmbError, did_you_mean
from fmb.datasets import derive, open_dataset
from fmb_surveys.files.catalog_joins import Key, taken
from fmb_surveys.files.survey_toml import find_survey_file
from fmb_surveys.joined.dataset import JoinedDataset, Part
from fmb_surveys.joined.joined_toml import JoinedSurvey, Match, Member, read_joined
from fmb_surveys.joined.partners import Partners, by_key, by_place

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["JoinedConfig", "join_surveys", "open_joined"]


_OPENING: ContextVar[tuple[Path, ...]] = ContextVar("opening", default=())
"""Files that are being opened, each for the one before it: none may ask for itself."""


class JoinedConfig(Config):
    """No options: the survey.toml says it all."""


def open_joined(
    source: str,
    config: JoinedConfig,
    *,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> JoinedDataset:
    """The joined survey that a survey.toml describes.

    Args:
        source: path of the survey.toml, or of a folder that has one.
        config: no options.
        cache: folder of the workspace, for the readers of the surveys.
        progress: told by surveys that are simulated.

    Raises:
        FmbError: a key is wrong, a survey cannot be opened, or none of its objects has a partner.
    """
    path = find_survey_file(source)
    return join_surveys(read_joined(path), path, cache=cache, progress=progress)


def join_surveys(
    survey: JoinedSurvey,
    path: Path,
    *,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
    advise: bool = False,
) -> JoinedDataset:
    """The joined survey that `path` describes, or would describe.

    Args:
        survey: what it says.
        path: its survey.toml.
        cache: folder of the workspace, for the readers of the surveys.
        progress: told by surveys that are simulated.
        advise: what readers ask to be set is asked for as `fmb data join` takes it.

    Raises:
        FmbError: as `open_joined`.
    """
    if path.resolve() in _OPENING.get():
        raise ConfigError(f"{path}: a joined survey cannot be one of its own; name another path")
    joined, token = _Joined(path), _OPENING.set((*_OPENING.get(), path.resolve()))
    try:
        for name, member in survey.survey.items():
            here = path.parent / Path(member.path).expanduser()
            with _advising(f"{name}." if advise else "data."):
                dataset = open_dataset(
                    str(here if here.exists() else member.path),
                    reader=member.reader,
                    settings=member.settings,
                    cache=cache,
                    progress=progress,
                )
                joined.add(name, member, dataset)
    finally:
        _OPENING.reset(token)
    return joined.dataset(survey)


@contextmanager
def _advising(prefix: str) -> Iterator[None]:
    """Names what is to be set by the survey that it is of, in the messages of readers."""
    try:
        yield
    except FmbError as error:
        raise type(error)(
            re.sub(r"\bdata\.(?=inputs\.|catalog\.)|(?<=--set )data\.", prefix, str(error))
        ) from None


@dataclass
class _Joined:
    """Surveys that are joined so far."""

    path: Path
    """Of the survey.toml, for messages."""
    opened: dict[str, Dataset] = field(default_factory=dict)
    rows: dict[str, Array] = field(default_factory=dict)
    """Survey -> (n,) its row of each object of the first, -1 = none."""
    columns: dict[str, Any] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """Survey -> name of an input -> its name there."""
    warnings: list[str] = field(default_factory=list)

    def add(self, name: str, member: Member, dataset: Dataset) -> None:
        """Find the partners of all objects in a further survey, and take its columns over."""
        where = f"{self.path}: survey.{name}"
        self.inputs[name] = self._named(member, dataset, where)
        self.warnings.extend(dataset.warnings)
        if not self.opened:
            self.rows[name] = np.arange(len(dataset))
            self.columns = {str(c): dataset.catalog[c].values for c in dataset.catalog}
            self.units = dict(dataset.catalog.attrs.get("units", {}))
            self.roles = dict(dataset.catalog.attrs.get("roles", {}))
        else:
            assert member.match is not None  # `read_joined` has seen to it
            self._match(name, member, member.match, dataset, where)
        self.opened[name] = dataset

    def _named(self, member: Member, dataset: Dataset, where: str) -> dict[str, str]:
        """Name of an input -> its name in its survey."""
        for old in member.inputs.values():
            if old not in dataset.inputs:
                hint = did_you_mean(old, dataset.inputs)
                raise ConfigError(f"{where}.inputs: it has no input {old!r}{hint}")
        new = {old: name for name, old in member.inputs.items()}
        named = {new.get(name, name): name for name in dataset.inputs}
        taken_names = {name for names in self.inputs.values() for name in names}
        for name in named:
            if name in taken_names or len(named) < len(dataset.inputs):
                raise ConfigError(
                    f"{where}: another input is called {name!r} already: rename this one with"
                    f' inputs = {{ NEW = "{named[name]}" }}'
                )
        return named

    def _match(self, name: str, member: Member, match: Match, dataset: Dataset, where: str) -> None:
        to = match.to or next(iter(self.opened))
        found = _partners(self.opened[to], dataset, match, where)
        through = self.rows[to]
        rows = np.where(through >= 0, found.rows[through], -1)
        if not (rows >= 0).any():
            raise DataError(
                f"{where}: none of its {len(dataset):,} objects is one of the"
                f" {len(self.opened[to]):,} of {to}: widen the radius, or match by another column"
            )
        self.rows[name] = rows
        self._put(f"{name}_id", taken(dataset.ids, rows), where)
        if found.arcsec is not None:
            apart = np.where(through >= 0, found.arcsec[through], np.nan)
            self._put(f"match_arcsec_{name}", apart, where)
            self.units[f"match_arcsec_{name}"] = "arcsec"
        self._take(name, member, dataset.catalog, rows, where)
        self.warnings.extend(_counts(name, to, rows, found, match, len(dataset)))

    def _take(
        self, name: str, member: Member, catalog: "pd.DataFrame", rows: Array, where: str
    ) -> None:
        """Take over what the catalogue of a further survey says of partners."""
        wanted = member.columns
        if not isinstance(wanted, dict):
            chosen = map(str, catalog) if wanted == "all" else wanted
            wanted = {f"{name}_{column}": column for column in chosen}
        for new, column in wanted.items():
            if column not in catalog:
                raise ConfigError(
                    f"{where}.columns: no column is called {column!r}"
                    f"{did_you_mean(column, map(str, catalog))}"
                )
            self._put(new, taken(catalog[column].values, rows), where)
            if column in (units := catalog.attrs.get("units", {})):
                self.units[new] = units[column]
        called = {column: new for new, column in wanted.items()}
        for role, column in catalog.attrs.get("roles", {}).items():
            if column in called and role not in self.columns:
                self.roles.setdefault(role, called[column])

    def _put(self, name: str, values: Any, where: str) -> None:
        if name in self.columns:
            raise DataError(
                f"{where}: there is a column {name!r} already: choose with columns ="
                ' { NEW = "COLUMN" }'
            )
        self.columns[name] = values

    def dataset(self, survey: JoinedSurvey) -> JoinedDataset:
        """The objects that stay, with all that was found of them."""
        import pandas as pd  # imported here: as in `read_catalog`

        first = next(iter(self.opened.values()))
        kept = np.ones(len(first), dtype=bool)
        for name, member in survey.survey.items():
            kept &= (self.rows[name] >= 0) | (member.keep == "all")
        if not kept.any():
            raise DataError(f"{self.path}: no object has a partner in every survey to be matched")
        catalog = pd.DataFrame(self.columns)[kept].reset_index(drop=True)
        catalog.attrs = {"units": self.units, "roles": self.roles}
        derive(catalog, first.ids[kept], survey.derived, f"{self.path}: derived")
        parts = [
            Part(dataset, self.rows[name][kept], self.inputs[name])
            for name, dataset in self.opened.items()
        ]
        return JoinedDataset(
            first.ids[kept],
            catalog,
            parts,
            self._identity(survey),
            list(dict.fromkeys(self.warnings)),
            [
                f"{name}: {line}"
                for name, dataset in self.opened.items()
                for line in getattr(dataset, "described", ())
            ],
        )

    def _identity(self, survey: JoinedSurvey) -> Mapping[str, Any]:
        said = survey.model_dump(mode="json", exclude_defaults=True)["survey"]
        members = {
            name: {"is": dict(dataset.identity), "joined": _without_place(said[name])}
            for name, dataset in self.opened.items()
        }
        derived = {"derived": survey.derived} if survey.derived else {}
        return {"name": survey.name, "reader": "joined", "surveys": members, **derived}


def _without_place(said: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if key not in ("path", "reader", "settings")}


def _partners(own: Dataset, other: Dataset, match: Match, where: str) -> Partners:
    if match.radius_arcsec is not None:
        return by_place(own, other, match.radius_arcsec, where)
    on = match.on
    assert on is not None  # `Match` has seen to it
    key = Key(left=on, right=on) if isinstance(on, str) else on
    return by_key(own, other, key, where)


def _counts(
    name: str, to: str, rows: Array, found: Partners, match: Match, n_there: int
) -> Iterator[str]:
    """What a user should know of a match, a line each."""
    pairs = int((rows >= 0).sum())
    line = f"{pairs:,} of {len(rows):,} objects have a partner in {name}"
    if found.arcsec is not None:
        apart = found.arcsec[np.isfinite(found.arcsec)]
        line += f", {np.median(apart):.2g} arcsec away in the median, {apart.max():.2g} at most"
    yield line
    if n_there > pairs:
        yield f"{n_there - pairs:,} of {n_there:,} objects of {name} are none of {to}"
    if found.crowded:
        yield (
            f"{found.crowded:,} objects have more than one of {name} within"
            f" {match.radius_arcsec:g} arcsec: pairs are made nearest first"
        )
