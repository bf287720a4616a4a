from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
import torch

from fmb.contract.inputs import Batch, Images, InputInfo, Inputs, Spectra
from fmb.contract.model import Tokens
from fmb.datasets import by_slots
from fmb.messages.errors import PluginError
from fmb.store.input_digest import input_digests
from fmb.torch import EmbedJob, Together, embed, resolve_device

WAVELENGTH = np.linspace(4000, 9000, 5)


class Survey:
    """Images for all but every third object, spectra for all but every fourth."""

    def __init__(self, n=30):
        self.ids = np.arange(n) + 100
        self.catalog = pd.DataFrame(index=range(n))
        self.identity, self.warnings = {"name": "toy"}, []
        self.has = {"cam": np.arange(n) % 3 > 0, "spec": np.arange(n) % 4 > 0}
        self.inputs = {
            "cam": InputInfo(kind="images", unit="uJy", bands=("r",), present=self.has["cam"]),
            "spec": InputInfo(kind="spectra", unit="counts", present=self.has["spec"]),
        }

    def __len__(self):
        return len(self.ids)

    def read(self, rows, inputs=None):
        at = {name: np.flatnonzero(self.has[name][rows]) for name in inputs}
        values = {name: (self.ids[rows][k]).astype(np.float32) for name, k in at.items()}
        made = {}
        for name, value in values.items():
            made[name] = (
                Images(
                    flux=np.broadcast_to(value[:, None, None, None], (len(value), 1, 2, 2)).copy(),
                    bands=("r",),
                    band_valid=np.ones((len(value), 1), bool),
                    unit="uJy",
                    pixel_scale_arcsec=0.1,
                )
                if name == "cam"
                else Spectra(
                    flux=value[:, None] * np.arange(1, 6, dtype=np.float32),
                    mask=np.zeros((len(value), 5), bool),
                    wavelength_aa=WAVELENGTH,
                    unit="counts",
                )
            )
        return Batch(ids=self.ids[rows], inputs=made, rows=at)


@dataclass
class Toy:
    """Tokens are the object's own number; objects in `unusable` have no usable image."""

    unusable: frozenset = frozenset()
    seen: list = field(default_factory=list)

    def preparer(self, sources):
        def prepare(batch):
            assert all(len(batch.rows[i]) == len(batch) for i in sources.values())
            valid = {slot: np.ones(len(batch), bool) for slot in sources}
            reasons = {slot: [""] * len(batch) for slot in sources}
            if "image" in sources:
                bad = np.isin(batch.ids, list(self.unusable))
                valid["image"] = ~bad
                reasons["image"] = ["too dark" if b else "" for b in bad]
            arrays = {"id": torch.as_tensor(batch.ids, dtype=torch.float32)}
            return Inputs(arrays=arrays, valid=valid, reasons=reasons)

        return prepare

    def encode(self, inputs, views):
        self.seen.append((len(inputs.arrays["id"]), tuple(views)))
        scale = {"image": 1.0, "spectrum": 10.0, "joint": 100.0}
        return {
            view: Tokens(inputs.arrays["id"][:, None, None].repeat(1, 3, 2) * scale[view])
            for view in views
        }


class Mean:
    def reduce(self, tokens):
        return tokens.values.mean(1)


VIEWS = {"image": ("image",), "spectrum": ("spectrum",), "joint": ("image", "spectrum")}


def job_of(model=None, dataset=None, embedder=None, **changes):
    return EmbedJob(
        **{
            "model": model or Toy(),
            "embedders": {"mean": embedder or Mean()},
            "views": VIEWS,
            "unit_mean": False,
            "sources": {"image": "cam", "spectrum": "spec"},
            "dataset": dataset or Survey(),
            "device": "cpu",
            "workers": 0,
            **changes,
        }
    )


def encoded(*args, batches=None, size=4, **changes):
    job = job_of(*args, **changes)
    if batches is None:
        everybody = np.arange(len(job.dataset))
        batches = [
            Together(rows[at : at + size], slots)
            for slots, rows in by_slots(job.dataset, job.sources, everybody)
            for at in range(0, len(rows), size)
            if slots
        ]
    return list(embed(job, batches))


def vectors_of(batches):
    """(embedder, view) -> rows in order, and their vectors."""
    parts = {}
    for one in batches:
        for key, (at, vectors) in one.vectors.items():
            parts.setdefault(key, []).append((one.rows[at], vectors))
    whole = {}
    for key, some in parts.items():
        rows = np.concatenate([rows for rows, _ in some])
        order = np.argsort(rows)
        whole[key] = rows[order], np.concatenate([vectors for _, vectors in some])[order]
    return whole


def run(*args, **changes):
    return vectors_of(encoded(*args, **changes))


def test_every_object_gets_the_vector_of_its_own_inputs():
    survey = Survey()
    made = run(dataset=survey)
    for view, needs in (("image", ["cam"]), ("spectrum", ["spec"]), ("joint", ["cam", "spec"])):
        rows, vectors = made["mean", view]
        has = np.logical_and.reduce([survey.has[name] for name in needs])
        assert rows.tolist() == np.flatnonzero(has).tolist()
        scale = {"image": 1, "spectrum": 10, "joint": 100}[view]
        assert vectors[:, 0].tolist() == (scale * survey.ids[has]).tolist()


@pytest.mark.parametrize("size", [1, 3, 64])
def test_batch_size_changes_no_vector(size):
    small, default = run(size=size), run()
    for key, (rows, vectors) in default.items():
        assert small[key][0].tolist() == rows.tolist()
        assert np.array_equal(small[key][1], vectors)


def test_batches_come_in_order_with_their_tags_and_what_was_read():
    both = ("image", "spectrum")
    asked = [Together(np.array(rows), both, rows) for rows in ([7, 5], [1], [2, 10, 11])]
    made = encoded(batches=iter(asked))
    assert [one.tag for one in made] == [[7, 5], [1], [2, 10, 11]]
    assert [one.ids.tolist() for one in made] == [[107, 105], [101], [102, 110, 111]]
    survey = Survey()
    for one in made:
        read = survey.read(one.rows, ["cam", "spec"])
        assert np.array_equal(one.digests["image"], input_digests(read.inputs["cam"]))
        assert np.array_equal(one.digests["spectrum"], input_digests(read.inputs["spec"]))


def test_batches_are_asked_for_as_they_are_needed():
    asked = []

    def batches():
        for row in (1, 2, 5):
            asked.append(row)
            yield Together(np.array([row]), ("image", "spectrum"))

    made = embed(job_of(), batches())
    next(made)
    assert asked == [1]
    next(made)
    assert asked == [1, 2]


def test_the_order_in_which_rows_are_asked_for_changes_nothing():
    order = np.random.default_rng(0).permutation(30)
    sources = {"image": "cam", "spectrum": "spec"}
    groups = by_slots(Survey(), sources, order)
    mixed = run(batches=[Together(rows, slots) for slots, rows in groups if slots])
    for key, (rows, vectors) in run().items():
        assert np.array_equal(mixed[key][0], rows)
        assert np.array_equal(mixed[key][1], vectors)


def test_an_unusable_input_is_reported_and_the_other_view_stays():
    batches = encoded(Toy(unusable=frozenset({101})))
    (one,) = [one for one in batches if 1 in one.rows]
    at = one.rows.tolist().index(1)
    assert [text for text in one.reasons["image"] if text] == ["too dark"]
    assert one.reasons["image"][at] == "too dark"
    made = vectors_of(batches)
    assert 1 not in made["mean", "image"][0]
    assert 1 not in made["mean", "joint"][0]
    assert 1 in made["mean", "spectrum"][0]


def test_a_model_sees_only_objects_valid_in_the_views_it_is_asked_for():
    model = Toy(unusable=frozenset({101}))
    run(model)
    for _, views in model.seen:
        assert set(views) in ({"image"}, {"spectrum"}, {"image", "spectrum", "joint"})


def test_a_unit_mean_joint_is_the_mean_of_the_unit_vectors_of_its_parts():
    class Pair(Toy):
        def encode(self, inputs, views):
            assert "joint" not in views
            n = len(inputs.arrays["id"])
            vectors = {"image": [3.0, 4.0], "spectrum": [0.0, 2.0]}
            return {v: Tokens(torch.tensor(vectors[v]).repeat(n, 1, 1)) for v in views}

    made = run(Pair(), unit_mean=True, views={"joint": ("image", "spectrum")})
    rows, vectors = made["mean", "joint"]
    assert len(rows) > 0
    assert np.allclose(vectors, [[0.3, 0.9]])  # ((0.6, 0.8) + (0, 1)) / 2
    assert list(made) == [("mean", "joint")]


@pytest.mark.parametrize(
    ("reduced", "message"),
    [
        (lambda t: t.values, r"gave shape \(\d+, 3, 2\)"),
        (lambda t: t.values.mean(1)[:0], r"gave shape \(0, 2\)"),
        (lambda t: t.values.mean(1) * torch.nan, "not finite"),
    ],
)
def test_an_embedder_that_breaks_its_promise_is_named(reduced, message):
    class Broken:
        reduce = staticmethod(reduced)

    with pytest.raises(PluginError, match=message):
        run(embedder=Broken())


def test_a_model_that_leaves_a_view_out_is_named():
    class Silent(Toy):
        def encode(self, inputs, views):
            return {}

    with pytest.raises(PluginError, match="gave no tokens for view"):
        run(Silent())


def test_an_unknown_device_is_one_line():
    from fmb.messages.errors import ConfigError

    with pytest.raises(ConfigError, match="choose from auto, cpu, cuda"):
        resolve_device("gpu0")
