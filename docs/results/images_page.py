"""The page real-images.md: what was asked, how, and how far rankings agree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
from agreement import CALIPER, LOOKS, MEASURES, PREVALENCE, table, with_interval
from two_halves import N_COMPONENTS, Training

from fmb import Array
from fmb_analyses.metrics import auroc

RANDOM, SCRATCH, PIXELS = "random weights", "trained from scratch", f"PCA-{N_COMPONENTS}"
LIGHT, MORE_LIGHT = "size, concentration", "size, concentration, brightness"
FLOORS = (RANDOM, PIXELS, LIGHT)
COLUMNS = tuple(f"{measure}{kind}" for measure in MEASURES for kind in ("", ", matched"))


@dataclass(frozen=True)
class Results:
    """What the page tells of."""

    survey: pd.DataFrame
    objects: pd.DataFrame
    """Those that are compared: `merger`, `half`, `group`, and the light of their pictures."""
    trainings: dict[str, list[Training]]
    weights: dict[str, Array]
    """How often an object counts: among `all`, among the `measured`, when `matched`."""
    drawn: dict[str, Array]
    """Detector -> its samples, (objects, samples)."""
    replicates: dict[tuple[str, str, str, str], Array]
    """Detector, row, weighting, measure -> replicates of the measure."""
    spent: dict[tuple[str, str], float]
    """Detector, row -> the share of looks that goes to objects that cannot be measured."""
    fits: int
    gave_up: int
    """Fits in which the flow is the Gaussian, because it was no better."""
    supervised: dict[str, Array]
    """Row -> replicates of the AUROC of a classifier that was shown labels."""


def page(results: Results, epochs: int, command: str) -> Iterator[str]:
    """The paragraphs of the page, in Markdown."""
    yield "# Real cutouts: agreement with the Euclid Q1 merger CNN"
    yield f"Written by `{command}` with `FMB_TEST_DATA` set; do not edit."
    yield about(results)
    yield trained(results, epochs)
    yield matching(results)
    rows = list(dict.fromkeys(key[1] for key in results.replicates))
    for detector in results.drawn:
        yield f"## {detector}"
        if detector == "flow":
            yield (
                f"In {results.gave_up} of {results.fits} fits the flow was no better than the"
                " Gaussian on held-out objects; its scores are the Gaussian's there."
            )
        yield levels(results, detector, rows)
        yield differences(results, detector, rows)
    yield "## What the vectors hold linearly"
    yield (
        "For scale, and not an anomaly ranking: a logistic regression that was shown the labels of"
        " all objects, cross-fitted within each half, its penalty chosen inside each fold."
    )
    yield table(
        ["vectors", "AUROC, supervised"],
        [[name, with_interval(values)] for name, values in results.supervised.items()],
    )


def about(results: Results) -> str:
    """What was asked, of what, and how."""
    objects, survey = results.objects, results.survey
    merger, n = objects["merger"], len(survey)
    drawn = results.drawn["gaussian"][:, 0]
    return (
        f"AstroPT with one band is trained on half of {n:,} Euclid VIS cutouts and ranks the other"
        " half by strangeness, and the other way round. Does the ranking agree with the label"
        " `merger`?\n\n"
        "- The label is a CNN's: merger is a score above 0.90, nonmerger below 0.10. The table is"
        " agreement with that CNN, on objects it was sure of, which are easier to tell apart than"
        " the sky's.\n"
        "- The pictures are stretched for display, each by its own values, and the brightest pixels"
        " are cut off: not photometric.\n"
        f"- Halves are made by a hash of the source. Of {n:,} objects {len(objects):,} are"
        f" compared: {merger.sum():,} mergers, {(~merger).sum():,} nonmergers. The"
        f" {(survey['label'] == 'unknown').sum():,} without a verdict are trained on, not compared."
        " Labels enter no training and no choice of a setting.\n"
        f"- Mergers are made rare: in each sample they are {PREVALENCE:.0%} of each half, the"
        f" others are left out. {results.drawn['gaussian'].shape[1]} samples for `gaussian`,"
        f" {results.drawn['flow'].shape[1]} for `flow`; the numbers are means over them. Detectors"
        " are fitted, cross-fitted in five folds, on the sample as it is, mergers included. Each"
        " half is ranked apart, then both are pooled by percentile.\n"
        f"- Precision is the share of mergers in {LOOKS} looks: chance {PREVALENCE:.2f}, at most"
        f" {(merger & drawn).sum() / LOOKS:.2f}, since a sample holds {(merger & drawn).sum()}."
        " AUROC: chance 0.50; below it, mergers are the ordinary ones.\n"
        "- 95 % intervals by bootstrap of sources. Trainings and fits are not repeated in them."
    )


def trained(results: Results, epochs: int) -> str:
    """How the weights were trained, and with what loss."""
    lines = [
        f"{name} {' and '.join(f'{t.before:.3f} to {t.after:.3f}' for t in made)}"
        f" (epochs {' and '.join(str(t.epoch) for t in made)})"
        for name, made in results.trainings.items()
    ]
    return (
        f"Training is that of `fmb retrain` with its defaults but for the length, {epochs} epochs;"
        " neither that nor anything else was chosen by these labels. The loss of held-out objects"
        f" fell, in the two halves: {'; '.join(lines)}. The other weights have seen none of"
        " these pictures; `tiny-one-band` was trained on simulated galaxies. Vectors are pooled as"
        " the card of the weights says."
        " PCA-100 is that of the pixels the model is given, fitted on the other half."
    )


def matching(results: Results) -> str:
    """The baseline, its failures, and how objects are made alike."""
    objects, counts = results.objects, results.weights["matched"]
    merger = objects["merger"].to_numpy()
    lost = objects[~results.weights["measured"].astype(bool)]
    known = results.weights["measured"] > 0
    values = []
    for name in ("brightness", "size"):
        one = objects[name].to_numpy()[known]
        before = auroc(merger[known], one)
        values.append(f"{name} {before:.2f} and {auroc(merger[known], one, counts[known]):.2f}")
    effective = counts[~merger].sum() ** 2 / (counts[~merger] ** 2).sum()
    return (
        "Size (half-light radius) and concentration 5 log10(r80 / r20) are measured in a circle of"
        " 3 arcsec about the centre, the sky taken away; since the stretch cuts the cores off,"
        " they are those of the picture, not of the galaxy. Brightness, which such pictures do not"
        " have, stands for something else here: the light in that circle in units of the noise of"
        f" a pixel. Nothing could be measured of {len(lost)} objects"
        f" ({int(lost['merger'].sum())} mergers), whose light is not above that of a sky lit by a"
        " bright star or a large galaxy beside: these rows of features do not rank them, and what"
        " is compared with them leaves them out. The other rows do rank them: *spent* is the share"
        f" of the {LOOKS} looks that goes to them.\n\n"
        "*Matched*: nonmergers count as often as they are like mergers in this brightness and"
        f" in size (the ten nearest of each, within {CALIPER:g} standard deviations;"
        f" {(counts[merger] > 0).sum()} of {merger.sum()} mergers have them, and the nonmergers"
        f" amount to {effective:.0f} that count alike; both kinds keep their number). As a score by"
        f" itself, before and after matching, AUROC: {', '.join(values)}."
    )


def levels(results: Results, detector: str, rows: Sequence[str]) -> str:
    """Agreement of each row, and what its list is spent on."""
    kinds = [(measure, weighting) for measure in MEASURES for weighting in ("all", "matched")]
    lines = [
        [
            name,
            *(
                with_interval(results.replicates[detector, name, w, measure])
                for measure, w in kinds
            ),
            f"{results.spent[detector, name]:.2f}",
        ]
        for name in rows
    ]
    return table(["vectors", *COLUMNS, "spent"], lines)


def differences(results: Results, detector: str, rows: Sequence[str]) -> str:
    """How much more each row from a model agrees, on the same resamples.

    More than each floor, and the retrained one more than the weights it started from.
    """
    lines = []
    for name in rows[: rows.index(RANDOM)]:
        for other in dict.fromkeys((rows[1], *FLOORS)) if name == rows[0] else FLOORS:
            every = "measured" if other == LIGHT else "all"
            margins = [
                results.replicates[detector, name, weighting, measure]
                - results.replicates[detector, other, weighting, measure]
                for measure in MEASURES
                for weighting in (every, "matched")
            ]
            lines.append([name, other, *(format(with_interval(one), "+.2f") for one in margins)])
    return table(["vectors", "more than", *COLUMNS], lines)
