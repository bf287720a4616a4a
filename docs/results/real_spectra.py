"""Writes real-spectra.md: how random encoders order the classes of real SDSS spectra.

Run: FMB_TEST_DATA=FOLDER python docs/results/real_spectra.py. The numbers are those of
`fmb evaluate RUN --truth label=QSO` and so on, on the galaxies and one class at a time.
"""

import os
import sys
from pathlib import Path

import numpy as np

import fmb
from fmb import Run
from fmb_analyses.evaluate.evaluation import evaluate
from fmb_analyses.evaluate.question import Conditions
from fmb_analyses.evaluate.truth import Kind, Truth

PAGE = Path(__file__).parents[1] / "real-spectra.md"
CLASSES = ("QSO", "STAR", "SKY")
ORDINARY = "GALAXY"
MODELS = ("aion", "astroclip")
SURVEY = """name = "sdss-spectra"
file = "{file}"

[catalog]
id = "plate_mjd_fiber"
ra = "ra"
dec = "dec"
redshift = "z"
label = "class"

[inputs.sdss]
kind = "spectra"
flux = "flux"
ivar = "ivar"
mask = "and_mask"
loglam = "loglam"
unit = "1e-17 erg / (s cm2 Angstrom)"
"""
ABOUT = """# Real spectra through random encoders

Written by `python docs/results/real_spectra.py` with `FMB_TEST_DATA` set; do not edit.

224 spectra of SDSS, BOSS and eBOSS go through the spectrum views of AION and AstroCLIP, both with
random weights of the `small` presets: this says that real files are read and embedded, and how much
a random network already sees. It says nothing about the published weights. AstroCLIP was made for
DESI, so SDSS is out of its domain. The detector is `gaussian`, cross-fitted.

AUROC of a class against GALAXY, 95 % intervals by bootstrap within each class. There are 16
galaxies at most, so the intervals are wide, and most rows of the file are no galaxies: to be rare
and to be no galaxy are two things here. 0.5 is chance; below it, galaxies are the strange ones."""


def main() -> None:
    """Compute and write the page."""
    data = os.environ.get("FMB_TEST_DATA")
    if not data:
        sys.exit("set FMB_TEST_DATA to the folder with sdss_spectra/sdss_spectra.h5")
    folder = Path("fmb-runs") / "real-spectra"
    folder.mkdir(parents=True, exist_ok=True)
    file = (Path(data) / "sdss_spectra" / "sdss_spectra.h5").resolve()
    (folder / "survey.toml").write_text(SURVEY.format(file=file), encoding="utf-8")
    run = fmb.detect(
        model=MODELS,
        weights=[f"{model}=random" for model in MODELS],
        detector="gaussian",
        no_companions=True,
        data=str(folder / "survey.toml"),
        allow_out_of_domain=True,
    )
    PAGE.write_text(f"{ABOUT}\n\n" + "\n".join(table(run)) + "\n", encoding="utf-8")


def table(run: Run) -> list[str]:
    """AUROC of each class with its interval and the numbers of both classes, in Markdown."""
    label = run.objects["label"].to_numpy()
    kinds = tuple(Kind(n, label == n, np.isin(label, [n, ORDINARY])) for n in CLASSES)
    done = evaluate(run, Truth("label", kinds), conditions=Conditions(looks=10))
    found = {
        (result.about["kind"], result.about["model"]): result.measured
        for result in done.results
        if result.about["metric"] == "auroc"
    }
    lines = ["| class | " + " | ".join(f"{model}, random" for model in MODELS) + " |"]
    lines.append("|---|" + "---|" * len(MODELS))
    for name in CLASSES:
        cells = []
        for model in MODELS:
            one = found[name, model]
            numbers = f"({one.n_positive} and {one.n - one.n_positive})"
            cells.append(f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}] {numbers}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    main()
