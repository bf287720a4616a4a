"""`fmb inject`: changed copies of a survey's own objects, to see what lists find."""

from pathlib import Path
from typing import Any

import click

from fmb.terminal import echo_folded, echo_json, print_table, progress_line, say, stage

__all__ = ["command"]


@click.command(
    epilog="Example: fmb inject survey.toml --kind lens --kind trail --strength 0.5..1 -o planted"
)
@click.argument("survey", required=False)
@click.option("--kinds", "listing", is_flag=True, help="List the kinds and what they need.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="What to plant; repeatable.")
@click.option(
    "--strength",
    metavar="S|S,S|LO..HI",
    default="0..1",
    help="0 weak to 1 strong: the same hosts at each, or hosts spread over a range [0..1].",
)
@click.option(
    "-n",
    "n_hosts",
    type=click.IntRange(min=1),
    metavar="N",
    default=60,
    help="Hosts of each kind [60].",
)
@click.option("--where", metavar="CONDITION", default="", help="Hosts only among these objects.")
@click.option(
    "--seed", type=click.IntRange(min=0), metavar="N", default=0, help="Of hosts and geometry [0]."
)
@click.option(
    "--psf",
    multiple=True,
    metavar="INPUT=FWHM[,FWHM]",
    help="Arcsec a band, where the data tell none; repeatable.",
)
@click.option(
    "--host-mag", type=float, metavar="MAG", help="Of hosts, where pictures have no flux scale."
)
@click.option("--only-copies", is_flag=True, help="Write the copies without the survey.")
@click.option("--reader", metavar="NAME", help="Reader, where two would do.")
@click.option(
    "--set", "settings", multiple=True, metavar="data.KEY=VALUE", help="Option of a dataset."
)
@click.option("-o", "--out", metavar="FOLDER", help="The folder to make.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(survey: str | None, listing: bool, as_json: bool, **options: Any) -> None:
    """Write SURVEY with changed copies of some of its objects beside them.

    Copies have ids of their own and name their host in the column injected_from. Their catalogue
    rows are measured again. --kinds lists what can be planted; with SURVEY, in that.
    """
    # Imported here: the help text needs none of it.
    from fmb import ConfigError

    if listing:
        _list_kinds(survey, options, as_json)
        return
    if survey is None or not options["kinds"] or not options["out"]:
        lacks = {"SURVEY": survey, "--kind KIND": options["kinds"], "-o FOLDER": options["out"]}
        missing = " and ".join(name for name, value in lacks.items() if not value)
        raise ConfigError(f"give {missing}; `fmb inject --kinds` lists the kinds")
    _inject(survey, options, as_json)


def _inject(survey: str, options: dict[str, Any], as_json: bool) -> None:
    from fmb_surveys.inject import inject
    from fmb_surveys.inject.survey import rows_told

    config = _config(options)
    folder = Path(options["out"]).expanduser()
    dataset = _opened(survey, options)
    told = inject(
        dataset,
        config,
        folder,
        only_copies=options["only_copies"],
        progress=lambda what, done, total: progress_line(f"{what} {folder.name}", done, total),
    )
    if as_json:
        echo_json({"folder": str(folder), **vars(told), "prevalence": told.prevalence})
        return
    print_table(told.kinds, "nothing", more="the same with --json", keep=3)
    for line in (told.line(), *rows_told(told)):
        echo_folded(line)
    for line in told.remarks:
        say(f"note: {line}")
    click.echo(f"wrote {folder}")
    say(f"next: fmb run --data {folder} --model MODEL --detector DETECTOR, then fmb evaluate RUN")


def _config(options: dict[str, Any]) -> Any:
    from fmb import build
    from fmb_surveys.inject.strengths import read_strengths
    from fmb_surveys.planting import PlantingConfig, find_kind

    names = [name for text in options["kinds"] for name in text.split(",")]
    for name in names:
        find_kind(name)
    strengths, spread = read_strengths(options["strength"])
    values = {
        "mode": "paired",
        "kinds": tuple(dict.fromkeys(names)),
        "n_per_kind": options["n_hosts"],
        "strengths": strengths,
        "spread": spread,
        "where": options["where"],
        "seed": options["seed"],
        "psf_fwhm_arcsec": _widths(options["psf"]),
        "host_magnitude": options["host_mag"],
    }
    return build(PlantingConfig, values, "inject")


def _widths(texts: tuple[str, ...]) -> dict[str, tuple[float, ...]]:
    """Image input -> widths by band."""
    from fmb import ConfigError

    found = {}
    for text in texts:
        name, _, widths = text.partition("=")
        try:
            found[name] = tuple(float(width) for width in widths.split(","))
        except ValueError:
            raise ConfigError(
                f"--psf {text!r}: write INPUT=FWHM, for instance euclid=0.17"
            ) from None
    return found


def _opened(survey: str, options: dict[str, Any]) -> Any:
    from fmb import ConfigError, merge, parse_setting
    from fmb.datasets import open_dataset
    from fmb.store import workspace

    settings = merge(*map(parse_setting, options["settings"])) if options["settings"] else {}
    if set(settings) - {"data"}:
        raise ConfigError(f"--set {next(iter(set(settings) - {'data'}))}: only data.KEY is of use")
    with stage(progress_line, f"read {Path(survey).name}"):
        return open_dataset(
            survey,
            reader=options["reader"],
            settings=settings.get("data", {}),
            cache=workspace() / "data",
            progress=lambda done, total: progress_line(f"make {survey}", done, total),
        )


def _list_kinds(survey: str | None, options: dict[str, Any], as_json: bool) -> None:
    from fmb_surveys.inject.listing import kinds_for, kinds_listed

    if survey is None:
        rows = kinds_listed()
    else:
        rows = kinds_for(_opened(survey, options), _widths(options["psf"]), options["host_mag"])
    if as_json:
        echo_json(rows)
        return
    names = ("kind", "seen by", *(("strength 0 to 1", "needs") if survey is None else ("fits",)))
    shown = [{name: row[name] for name in names} for row in rows]
    print_table(shown, "none", more="fmb inject --kinds --json", keep=2, prose=names[-1])
