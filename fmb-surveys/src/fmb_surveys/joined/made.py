"""What `fmb data join` does with its options: the survey.toml they describe, tried and written."""

import os
import re
from pathlib import Path
from typing import Any

import tomli_w

from fmb import ConfigError, build, merge, parse_setting
from fmb.store import publish, workspace
from fmb_surveys.joined.dataset import JoinedDataset
from fmb_surveys.joined.joined_toml import JoinedSurvey
from fmb_surveys.joined.opening import join_surveys

__all__ = ["make_joined"]

_NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]*)=(.+)")


def make_joined(
    out: Path,
    surveys: tuple[str, ...],
    *,
    match: float | None,
    on: str | None,
    matched: bool,
    settings: tuple[str, ...],
    name: str | None,
) -> JoinedDataset:
    """Open the surveys joined, and write the survey.toml that says so.

    Args:
        out: the survey.toml to write.
        surveys: "[NAME=]PATH" of each; without NAME the name of the file or folder.
        match: arcsec.
        on: "COLUMN", or "LEFT=RIGHT".
        matched: leave out objects without a partner in each.
        settings: "NAME.KEY=VALUE" of the reader of a survey.
        name: of the joined survey; None = theirs.

    Raises:
        FmbError: the options contradict each other, or a survey cannot be opened or matched; then
            nothing is written.
    """
    if (match is None) == (on is None):
        raise ConfigError("fmb data join: say what partners are: --match ARCSEC or --on COLUMN")
    said: dict[str, Any] = {"radius_arcsec": match} if on is None else {"on": _key(on)}
    members: dict[str, dict[str, Any]] = {}
    for text in surveys:
        found = _NAMED.fullmatch(text)
        label, path = (found[1], found[2]) if found else (_stem(text), text)
        if label in members:
            raise ConfigError(f"fmb data join: two surveys are called {label!r}: write NAME={path}")
        here = Path(path).expanduser()
        place = os.path.relpath(here, out.parent) if here.exists() else path
        further = {"match": said, "keep": "matched" if matched else "all"} if members else {}
        members[label] = {"path": place, **further}
    if len(members) < 2:
        raise ConfigError("fmb data join: name two surveys or more")
    for label, one in _settings(settings, tuple(members)).items():
        members[label]["settings"] = one
    values = {"name": name or "-".join(members), "survey": members}
    survey = build(JoinedSurvey, values, "fmb data join")
    dataset = join_surveys(survey, out, cache=workspace() / "data", advise=True)
    publish(out, tomli_w.dumps(survey.model_dump(mode="json", exclude_defaults=True)).encode())
    return dataset


def _settings(texts: tuple[str, ...], labels: tuple[str, ...]) -> dict[str, Any]:
    """Survey -> settings of its reader.

    Raises:
        ConfigError: one does not say which survey it is of.
    """
    bare = [text.removeprefix("data.") for text in texts]
    # A survey may be called "data", which otherwise stands before all that is set.
    own = [b if b.partition(".")[0] in labels else t for b, t in zip(bare, texts, strict=True)]
    for text, said in zip(texts, own, strict=True):
        parsed = parse_setting(said)
        if not any(isinstance(parsed.get(label), dict) for label in labels):
            raise ConfigError(
                f"fmb data join: --set {text}: say of which survey it is: NAME.KEY=VALUE with NAME"
                f" one of {', '.join(labels)}"
            )
    return merge(*map(parse_setting, own))


def _key(on: str) -> str | dict[str, str]:
    left, equals, right = on.partition("=")
    return {"left": left, "right": right} if equals else on


def _stem(path: str) -> str:
    """A name for what is at a path: of its folder where it is a survey.toml."""
    place = Path(path).expanduser().resolve()
    if place.name == "survey.toml":
        place = place.parent
    return re.sub(r"[^A-Za-z0-9_-]", "-", place.name.split(".")[0]) or "survey"
