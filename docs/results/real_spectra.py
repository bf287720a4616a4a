"""Writes real-spectra.md: how random encoders order the classes of real SDSS spectra.

Run: FMB_TEST_DATA=FOLDER python docs/results/real_spectra.py
"""

import os
import sys
from pathlib import Path

import pandas as pd

from fmb import Session
from fmb.request import options_request
from fmb.steps.execute import execute
from fmb_analyses.bootstrap import interval
from fmb_analyses.metrics import auroc

PAGE = Path(__file__).parents[1] / "real-spectra.md"
CLASSES = ("QSO", "STAR", "SKY")
ORDINARY = "GALAXY"
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
    models = ("aion", "astroclip")
    asked = {
        "model": list(models),
        "weights": [f"{model}=random" for model in models],
        "detector": ["gaussian"],
        "no_companions": True,
        "data": str(folder / "survey.toml"),
        "allow_out_of_domain": True,
    }
    plan = Session.open().plan(options_request(asked), steps=("embed", "detect"))
    run = execute(plan)
    scores = run.all_scores().merge(run.objects[["object_id", "label"]], on="object_id")
    lines = ["| class | " + " | ".join(f"{model}, random" for model in models) + " |"]
    lines.append("|---|" + "---|" * len(models))
    for name in CLASSES:
        cells = [against_galaxies(scores[scores["model"] == model], name) for model in models]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    PAGE.write_text(f"{ABOUT}\n\n" + "\n".join(lines) + "\n", encoding="utf-8")


def against_galaxies(scores: pd.DataFrame, name: str) -> str:
    """AUROC with its interval and the numbers of both classes."""
    chosen = scores[scores["label"].isin([name, ORDINARY]) & scores["score"].notna()]
    of_class = (chosen["label"] == name).to_numpy()
    measured = interval(auroc, of_class, chosen["score"].to_numpy())
    return f"{measured} ({of_class.sum()} and {(~of_class).sum()})"


if __name__ == "__main__":
    main()
