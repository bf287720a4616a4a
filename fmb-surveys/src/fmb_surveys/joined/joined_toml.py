"""survey.toml of a joined survey: which surveys, and what makes their objects the same."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from fmb import Config, ConfigError, build, read_toml
from fmb_surveys.files.catalog_joins import Key

__all__ = ["JoinedSurvey", "Match", "Member", "read_joined"]


class Match(Config):
    """Key `match` of `[survey.NAME]`: which of its objects are those of another survey."""

    to: str = ""
    """A survey that stands before this one; "" = the first."""
    radius_arcsec: float | None = Field(default=None, gt=0, le=3600)
    """Partners are no further from each other on the sky."""
    on: str | Key | None = None
    """A column of both catalogues, "object_id" for the ids, or {left = "...", right = "..."}."""

    @model_validator(mode="after")
    def _check_one(self) -> "Match":
        if (self.radius_arcsec is None) == (self.on is None):
            raise ValueError("give either radius_arcsec or on")
        return self


class Member(Config):
    """Table `[survey.NAME]`: one of the surveys."""

    path: str
    """Of its files, relative to the survey.toml, or the name of a dataset."""
    reader: str | None = None
    """What reads it, where two would do."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Of the reader."""
    match: Match | None = None
    """Of each but the first."""
    keep: Literal["all", "matched"] = "all"
    """Matched: objects without a partner in this survey are left out."""
    columns: str | tuple[str, ...] | dict[str, str] = "all"
    """Of its catalogue: "all" or names, which become NAME_column; or {name = "column"}."""
    inputs: dict[str, str] = Field(default_factory=dict)
    """New name -> input, where two surveys call theirs the same."""


class JoinedSurvey(Config):
    """The content of the file; objects are those of the first survey."""

    name: str = Field(min_length=1)
    survey: dict[str, Member] = Field(min_length=2)
    derived: dict[str, str] = Field(default_factory=dict)
    """Name -> formula of columns of all surveys, in the language of `--where`."""


def read_joined(path: Path) -> JoinedSurvey:
    """The joined survey that a TOML file describes.

    Raises:
        ConfigError: the file is not TOML, a key or value is wrong, or a survey is matched to none
            that stands before it.
    """
    values = read_toml(path)
    tables = values.get("survey")
    if isinstance(tables, dict):  # each alone: so a key that is unknown is told with its likes
        members = {n: build(Member, one, f"{path}: survey.{n}") for n, one in tables.items()}
        values = {**values, "survey": members}
    made = build(JoinedSurvey, values, str(path))
    before: list[str] = []
    for name, member in made.survey.items():
        where = f"{path}: survey.{name}"
        if not before and (member.match or member.keep != "all" or member.columns != "all"):
            raise ConfigError(f"{where} is the first, whose objects stay: leave out match and keep")
        if before and member.match is None:
            raise ConfigError(
                f"{where}: say which of its objects are those of {before[0]}: match ="
                " { radius_arcsec = 1 } or match = { on = ... }"
            )
        if member.match and member.match.to and member.match.to not in before:
            raise ConfigError(
                f"{where}.match.to = {member.match.to!r}: match it to a survey before it:"
                f" {', '.join(before)}"
            )
        before.append(name)
    return made
