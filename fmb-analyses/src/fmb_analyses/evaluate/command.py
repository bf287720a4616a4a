"""`fmb evaluate`: how well the lists of a run find what is known."""

from typing import TYPE_CHECKING

import click

from fmb.terminal import echo_folded, echo_json, print_table, progress_line, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fmb import ListName, Run
    from fmb_analyses.evaluate.evaluation import Evaluation
    from fmb_analyses.evaluate.screen import Shown
    from fmb_analyses.results import Result

__all__ = ["command"]


@click.command(epilog="Example: fmb evaluate RUN --truth class --looks 50")
@click.argument("run", required=False)
@click.option(
    "--truth",
    metavar="WHAT",
    help="COLUMN[=VALUE,VALUE], class, labels:CLASS, copies, or a file of ids or positions"
    " [copies].",
)
@click.option("--list", "lists", multiple=True, metavar="WORDS", help="Only this list; repeatable.")
@click.option("--view", help="The view that shows the kinds, known before; not for planted ones.")
@click.option("--floors", is_flag=True, help="Measure random weights, PCA-100, catalogue beside.")
@click.option("--less", metavar="LABEL", help="Compare each list with that of this detector label.")
@click.option("--all-lists", is_flag=True, help="Show also lists that do not see a kind.")
@click.option(
    "--looks",
    type=click.IntRange(min=1),
    help="How many objects you look at [100; of fewer objects a tenth].",
)
@click.option(
    "--prevalence",
    default=0.01,
    show_default=True,
    type=click.FloatRange(min=0, max=0.5, min_open=True),
    help="Share of a survey that a planted kind is taken to be.",
)
@click.option(
    "--within",
    default=1.0,
    show_default=True,
    metavar="ARCSEC",
    type=click.FloatRange(min=0, min_open=True),
    help="How near a position of a file must be.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all results as JSON.")
def command(
    run: str | None,
    truth: str | None,
    lists: tuple[str, ...],
    view: str | None,
    floors: bool,
    less: str | None,
    all_lists: bool,
    looks: int | None,
    prevalence: float,
    within: float,
    as_json: bool,
) -> None:
    """Measure how well the lists of RUN, by default the latest, find what is known.

    AUROC, and what stands in the top 1 % and in so many looks, each with a 95 % interval in the
    JSON; what was measured is kept in results/ of the workspace and not measured again.
    """
    # Imported here: the help text needs none of it.
    from fmb import open_run
    from fmb_analyses.evaluate.beside import with_floors
    from fmb_analyses.evaluate.differences import less_results, pairs_less
    from fmb_analyses.evaluate.evaluation import evaluate
    from fmb_analyses.evaluate.question import Conditions
    from fmb_analyses.evaluate.screen import Shown
    from fmb_analyses.evaluate.truth import find_truth, in_view

    opened = open_run(run)
    chosen = [opened.list_called(words) for words in lists] or list(opened.lists)
    asked = Conditions(looks or _usual_looks(opened, chosen), prevalence)
    known = in_view(find_truth(opened, truth, within_arcsec=within), view, chosen)
    pairs = pairs_less(opened, chosen, less) if less else []
    done = evaluate(opened, known, chosen, asked, progress_line)
    names = {opened.record(name)["key"]: Shown(name) for name in chosen}
    if floors:
        done, names = with_floors(opened, done, names, asked, progress_line)
    compared = less_results(opened, known, asked, pairs)
    if as_json:
        echo_json([result.record for result in (*done.results, *compared)])
        return
    _print(opened, done, names, compared, every=all_lists)


def _usual_looks(run: "Run", lists: "Sequence[ListName]") -> int:
    """100, or a tenth of the objects of the smallest list where it has fewer."""
    objects = min((int(run.scores(name)["rank"].notna().sum()) for name in lists), default=100)
    return 100 if objects >= 100 else max(1, objects // 10)


def _print(
    run: "Run",
    done: "Evaluation",
    names: "Mapping[str, Shown]",
    compared: "Sequence[Result]",
    *,
    every: bool,
) -> None:
    from fmb_analyses.evaluate.screen import (
        chance_line,
        control_line,
        control_rows,
        empty_line,
        less_rows,
        rows_of,
        warnings_of,
    )

    more = f"fmb evaluate {run.name} --json"
    rows = rows_of(done, names, every=every)
    print_table(rows, empty_line(done.truth), more=more, keep=3)
    controls = control_rows(done, names)
    for beside in (controls, less_rows(compared, names, every=every)):
        if beside:
            click.echo("")
            print_table(beside, "", more=more, keep=3)
    click.echo("")
    echo_folded(chance_line(done))
    if line := control_line(done.truth, controls):
        echo_folded(line)
    if ordinary := done.truth.taken_as_ordinary:
        echo_folded(f"not looked for: {ordinary}; --truth COLUMN=VALUE,VALUE chooses kinds")
    for line in warnings_of(done):
        say(f"note: {line}")
    say(f"note: {done.computed:,} of {len(done.results):,} results are new; all: {more}")
