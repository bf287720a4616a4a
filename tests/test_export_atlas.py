"""`fmb export --atlas`: a list as a map with neighbours and pictures."""

import io
import json

import matplotlib.image
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

N = 60
IDS = 2**62 + 11 * np.arange(N)
VECTORS = np.random.default_rng(0).normal(size=(N, 5)) * [9, 5, 1, 1, 1]
LIST = ("--list", "gaussian")


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


@pytest.fixture
def detected(fmb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("v.npz", object_id=IDS, a=VECTORS.astype(np.float32))
    own = ("--embeddings", "v.npz", "--out", "mine", "--no-companions")
    done(fmb("detect", *own, "--detector", "gaussian"))


def test_places_are_the_two_directions_of_largest_variance(fmb, detected):
    said = done(fmb("export", "mine", *LIST, "--atlas", "map.parquet"))
    table = pd.read_parquet("map.parquet").set_index("object_id").loc[IDS]
    values = VECTORS.astype(np.float32).astype(float)
    centred = values - values.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    for axis, column in enumerate(("x", "y")):
        expected = left[:, axis] * sizes[axis]
        expected *= np.sign(expected @ table[column])
        assert np.allclose(table[column], expected, atol=1e-9 * sizes[0])
    share = sizes**2 / (sizes**2).sum()
    assert f"{share[0]:.1%} and {share[1]:.1%} of its variance" in said.stderr
    told = json.loads(pq.read_schema("map.parquet").metadata[b"fmb"])
    assert told["atlas"] in said.stderr.replace("\n", " ")


def test_neighbours_are_rows_of_the_file_with_their_distances(fmb, detected):
    done(fmb("export", "mine", *LIST, "--atlas", "map.parquet", "--neighbours", 4))
    table = pd.read_parquet("map.parquet")
    assert table["rank"].is_monotonic_increasing
    at = {one: row for row, one in enumerate(IDS.tolist())}
    values = VECTORS.astype(np.float32).astype(float)[[at[one] for one in table["object_id"]]]
    apart = np.sqrt(((values[:, None] - values[None]) ** 2).sum(axis=-1))
    np.fill_diagonal(apart, np.inf)
    for row, found in enumerate(table["neighbors"]):
        expected = np.argsort(apart[row])[:4]
        assert list(found["ids"]) == expected.tolist()
        assert np.allclose(found["distances"], apart[row][expected])


def test_equal_vectors_are_neighbours_at_no_distance_and_never_of_themselves():
    from fmb_surveys.export.projection import nearest

    rows, distances = nearest(np.ones((3, 4), dtype=np.float32), 10)
    assert rows.tolist() == [[1, 2], [0, 2], [0, 1]]
    assert (distances == 0).all()


def test_neighbours_in_several_blocks_are_those_of_one(monkeypatch):
    from fmb_surveys.export import projection

    values = np.random.default_rng(1).normal(size=(200, 3))
    whole = projection.nearest(values, 5)
    monkeypatch.setattr(projection, "_QUERIES", 7)
    monkeypatch.setattr(projection, "_AMONG", 13)
    for one, again in zip(whole, projection.nearest(values, 5), strict=True):
        assert np.array_equal(one, again)


def test_an_analysis_that_made_a_map_is_shown_instead(fmb, detected, home):
    folder = home / "runs" / "mine" / "analyses"
    folder.mkdir(exist_ok=True)
    own = pd.DataFrame({"object_id": IDS, "x": np.arange(N) + 0.5, "y": -np.arange(N) - 0.5})
    own.to_parquet(folder / "umap.places.parquet")
    said = done(fmb("export", "mine", *LIST, "--atlas", "map.parquet"))
    assert "x and y are table places of analysis umap" in said.stderr
    table = pd.read_parquet("map.parquet").set_index("object_id")
    assert table.loc[IDS, "y"].tolist() == own["y"].tolist()


def test_pictures_are_those_of_the_objects_whose_cutouts_are_kept(fmb, tmp_path, make_survey):
    survey = make_survey(tmp_path / "tiny", n=40)
    model = ("--model", "astropt", "--weights", "random", "--detector", "gaussian")
    done(fmb("run", *model, "--view", "image", "--data", survey, "--out", "seen"))
    path = tmp_path / "map.parquet"
    done(fmb("export", "seen", "--atlas", path))
    pictures = pd.read_parquet(path)["image"]
    assert pictures[0] is not None
    seen = matplotlib.image.imread(io.BytesIO(pictures[0]["bytes"]), format="png")
    assert seen.shape == (32, 32, 3)
    assert seen[12:20, 12:20].mean() > seen[:4].mean()  # the blob of these images is in the middle


def test_what_makes_no_map_is_refused(fmb, detected):
    done(fmb("export", "mine", *LIST, "--atlas", "map.parquet"))
    again = fmb("export", "mine", *LIST, "--atlas", "map.parquet")
    assert (again.exit_code, "--force" in again.stderr) == (2, True)
