"""Objects of one sky, a run on some of them, and others scored by its fits."""

import numpy as np
import pandas as pd

from fmb import Vectors, open_run
from fmb.crossfit import Given, load_fits
from fmb_detectors.gaussian import GaussianDetector

N, NEW = 500, 300


def sky(rng, n, first_id, *, fainter=0.0, noisier=1.0):
    """Ids, vectors of two views, and a catalogue whose magnitude they follow."""
    magnitude = rng.normal(20 + fainter, 1, n)
    common = rng.normal(size=(n, 2))
    views = {
        view: (
            (magnitude - 20)[:, None] * slope
            + np.pad(common, ((0, 0), (0, 2)))
            + noisier * rng.normal(size=(n, 4))
        ).astype(np.float32)
        for view, slope in (("v", np.array([3.0, 2, -2, 0])), ("w", np.array([0, 1.0, 2, 1])))
    }
    ids = np.arange(first_id, first_id + n)
    place = {"ra": rng.uniform(0, 90, n), "dec": rng.uniform(-40, 40, n)}
    return ids, views, {"object_id": ids, **place, "magnitude": magnitude}


def write(name, sky, views=("v", "w")):
    ids, vectors, catalog = sky
    np.savez(f"{name}.npz", object_id=ids, **{view: vectors[view] for view in views})
    pd.DataFrame(catalog).to_csv(f"{name}.csv", index=False)


def arrays_of(name):
    with np.load(f"{name}.npz") as file:
        return dict(file)


DETECTORS = ("--detector", "gaussian", "--detector", "mismatch", "--fusion", "avg")


def fit(fmb, *args, detectors=DETECTORS, out="base", given="magnitude"):
    done = fmb(
        *("detect", "--embeddings", "old.npz", "--catalog", "old.csv", "--given", given),
        *detectors,
        *("--no-companions", "--out", out, *args),
    )
    assert done.exit_code == 0, done.stderr


def score(fmb, name="new", *args, base="base", out="r"):
    return fmb(
        *("detect", "--fitted", base, "--embeddings", f"{name}.npz", "--catalog", f"{name}.csv"),
        *("--out", out, *args),
    )


def scored(fmb, *args, **more):
    done = score(fmb, *args, **more)
    assert done.exit_code == 0, done.stderr
    return open_run(more.get("out", "r"))


def refused(result, *told):
    assert result.exit_code == 2
    (line,) = [one for one in result.stderr.splitlines() if one.startswith("fmb: ")]
    for text in told:
        assert text in line


def by_hand(base, words, name):
    """Scores of new objects by each kept fit of a list that is given the magnitude."""
    folder = base.folder.detectors(base.list_called(words))
    fits = load_fits(folder, GaussianDetector.load, "by hand")
    arrays, catalog = arrays_of(name), pd.read_csv(f"{name}.csv")
    vectors = Vectors(arrays["object_id"], arrays["v"])
    return fits.score_each(Given(vectors, fits.names, catalog[["magnitude"]].to_numpy(float)))
