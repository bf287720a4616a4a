"""Vectors that torch saved: records with a key a view."""

import os

import numpy as np
import pytest
import torch

from fmb.messages.errors import DataError
from fmb.own.vector_file import open_vector_file
from fmb.plan.tensor_files import TENSOR_FILES
from fmb.store.digests import Digests
from fmb.vectors.asked import OwnVectors

N, D = 9, 6
IDS = [39627652591521181 + 1009 * i for i in range(N)]
IMAGE = torch.randn(N, D, generator=torch.Generator().manual_seed(1))
SPECTRUM = torch.randn(N, D + 1, generator=torch.Generator().manual_seed(2))


def read(path, **options):
    digests = Digests(path.parent / "home")
    return open_vector_file(OwnVectors(file=str(path), **options), digests, more=TENSOR_FILES)


def by_view(survey):
    return {name.view: view for name, view in survey.vectors.items()}


def records(**changes):
    made = [
        {"object_id": IDS[i], "redshift": 0.1 * i, "embedding_hsc": IMAGE[i],
         "embedding_spectrum": SPECTRUM[i]}
        for i in range(N)
    ]  # fmt: skip
    return [{**one, **{k: f(i) for k, f in changes.items()}} for i, one in enumerate(made)]


def test_every_key_of_vectors_is_a_view_and_the_others_the_catalogue(tmp_path):
    torch.save(records(), tmp_path / "v.pt")
    survey = read(tmp_path / "v.pt")
    views = by_view(survey)
    assert survey.ids.tolist() == IDS
    assert list(views) == ["embedding_hsc", "embedding_spectrum"]
    assert views["embedding_hsc"].values.tolist() == IMAGE.tolist()
    assert views["embedding_spectrum"].values.tolist() == SPECTRUM.tolist()
    assert survey.catalog["redshift"].tolist() == [0.1 * i for i in range(N)]


def test_a_record_without_a_key_has_no_vector_in_that_view(tmp_path):
    made = records()
    del made[3]["embedding_spectrum"]
    made[5]["embedding_spectrum"] = None
    torch.save(made, tmp_path / "v.pt")
    survey = read(tmp_path / "v.pt")
    spectrum = by_view(survey)["embedding_spectrum"]
    good = [0, 1, 2, 4, 6, 7, 8]
    assert spectrum.rows.tolist() == good
    assert spectrum.values.tolist() == SPECTRUM[good].tolist()
    assert survey.warnings == [
        f"2 objects have no embedding_spectrum vector, missing or not finite: {IDS[3]}, {IDS[5]}"
    ]


@pytest.mark.parametrize(
    "as_saved",
    [
        lambda i: IMAGE[i].numpy(),
        lambda i: IMAGE[i][None],
        lambda i: IMAGE[i].double(),
        lambda i: IMAGE[i].tolist(),
        lambda i: IMAGE[i].clone().requires_grad_(),
    ],
    ids=["numpy", "one row", "float64", "list", "with gradient"],
)
def test_vectors_may_be_kept_in_several_ways(tmp_path, as_saved):
    torch.save(records(embedding_hsc=as_saved), tmp_path / "v.pt")
    assert by_view(read(tmp_path / "v.pt"))["embedding_hsc"].values.tolist() == IMAGE.tolist()


def test_text_ids_and_odd_keys_and_scalars_of_numpy(tmp_path):
    changes = {"object_id": lambda i: f"J{i}", "image/mean": lambda i: IMAGE[i],
               "z": lambda i: np.float64(i)}  # fmt: skip
    torch.save(records(**changes), tmp_path / "v.pt")
    survey = read(tmp_path / "v.pt")
    assert survey.ids.tolist() == [f"J{i}" for i in range(N)]
    assert by_view(survey)["image_mean"].values.tolist() == IMAGE.tolist()
    assert survey.catalog["z"].tolist() == list(range(N))


def test_a_dict_of_arrays_and_one_matrix_are_read_too(tmp_path):
    torch.save({"object_id": torch.tensor(IDS), "image": IMAGE.bfloat16()}, tmp_path / "d.pt")
    survey = read(tmp_path / "d.pt")
    assert survey.ids.tolist() == IDS
    assert by_view(survey)["image"].values.tolist() == IMAGE.bfloat16().float().tolist()
    torch.save(IMAGE, tmp_path / "m.pt")
    assert by_view(read(tmp_path / "m.pt"))["vectors"].values.tolist() == IMAGE.tolist()


class Payload:
    def __reduce__(self):
        return (os.system, ("touch ran",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"object_id": 1, "embedding": Payload()}], "names code.*of which FMB runs none"),
        (records(embedding_hsc=lambda i: IMAGE[i][: D - (i > 6)]), "in 2 records: 7, 8"),
        (records(embedding_hsc=lambda i: torch.ones(2, 3)), "is not one vector"),
        ("text", "expected a list of records"),
        ([], "expected a list of records"),
        ([1, 2], "expected a list of records"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_nothing_is_run(
    tmp_path, monkeypatch, content, message
):
    monkeypatch.chdir(tmp_path)
    torch.save(content, tmp_path / "v.pt")
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path / "v.pt")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_a_file_cut_short_is_one_line(tmp_path):
    torch.save(records(), tmp_path / "v.pt")
    whole = (tmp_path / "v.pt").read_bytes()
    for size in (0, 5, len(whole) // 2, len(whole) - 1):
        (tmp_path / "v.pt").write_bytes(whole[:size])
        with pytest.raises(DataError, match=r"v\.pt: (cannot be read|names code)") as caught:
            read(tmp_path / "v.pt")
        assert "\n" not in str(caught.value)
