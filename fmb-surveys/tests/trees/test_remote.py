"""Trees behind URLs are read where they are: the same survey as a copy, and only what is needed."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from fmb import ConfigError, DataError, FailedError
from fmb.datasets import select

sys.path.insert(0, str(Path(__file__).parent))
stand_ins = importlib.import_module("stand_ins")
WebStandIn, HubOfDatasets = stand_ins.WebStandIn, stand_ins.HubOfDatasets

pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")

SAID = {"image": {"inputs": {"image": {"unit": "count/s"}}}}
SAID["spectrum"] = {"inputs": {"spectrum": {"unit": "counts"}}}


@pytest.fixture
def web(trees):
    with WebStandIn(trees) as stand_in:
        yield stand_in


def same(there, here, name):
    assert there.ids.tolist() == here.ids.tolist()
    pd.testing.assert_frame_equal(there.catalog, here.catalog)
    rows = np.arange(len(here))
    one, other = (survey.read(rows).inputs[name] for survey in (there, here))
    assert np.array_equal(one.flux, other.flux)
    assert np.array_equal(one.mask, other.mask)


@pytest.mark.parametrize(
    ("tree", "name"),
    [("deep2_spectra_hats", "spectrum"), ("deep2_images_hats/deep2_images", "image")],
)
def test_a_catalogue_of_the_web_is_that_of_its_copy(web, trees, opened, tree, name):
    there, here = opened(f"{web.url}/{tree}", **SAID[name]), opened(trees / tree, **SAID[name])
    same(there, here, name)
    assert f"{name}: " in "".join(there.described)


def test_a_parquet_file_and_a_folder_of_the_web_are_read_too(web, trees, opened):
    folder = "deep2_spectra_hats/deep2_spectra/dataset/Norder=7/Dir=40000"
    for place in (folder, f"{folder}/Npix=45703.parquet"):
        there = opened(f"{web.url}/{place}", **SAID["spectrum"])
        same(there, opened(trees / place, **SAID["spectrum"]), "spectrum")


def test_of_a_catalogue_no_more_is_fetched_than_a_condition_needs(web, trees, opened):
    survey = opened(f"{web.url}/sdss_spectra_hats", inputs={"spectrum": {"unit": "counts"}})
    partitions = {name: size for name, size in web.given.items() if "Npix=" in name}
    assert not partitions  # described by the footer of all
    chosen = select(survey, where="dec > 53")
    touched = {name for name in web.given if "Npix=" in name}
    assert 0 < len(touched) < 13
    before = dict(web.given)
    chosen.read(np.arange(len(chosen)))
    assert {name for name in web.given if web.given[name] > before.get(name, 0)} <= touched


def test_of_a_file_only_row_groups_that_are_needed_are_fetched(tmp_path, opened):
    rng, n, pixels = np.random.default_rng(1), 400, 2000
    offsets = pa.array(np.arange(n + 1, dtype="i4") * pixels)
    flux = pa.ListArray.from_arrays(offsets, pa.array(rng.random(n * pixels, dtype="f4")))
    grid = pa.ListArray.from_arrays(offsets, pa.array(np.tile(np.arange(1, pixels + 1.0), n)))
    spectrum = pa.StructArray.from_arrays([flux, grid], ["flux", "lambda"])
    table = pa.table({"object_id": np.arange(n), "mag": np.arange(n) / 10, "spectrum": spectrum})
    parquet.write_table(table, tmp_path / "spectra.parquet", row_group_size=50)
    size = (tmp_path / "spectra.parquet").stat().st_size
    with WebStandIn(tmp_path) as web:
        survey = opened(f"{web.url}/spectra.parquet", **SAID["spectrum"])
        assert web.given["spectra.parquet"] < size / 10
        chosen = select(survey, where="12 <= mag < 13")
        read = chosen.read(np.arange(10)).inputs["spectrum"].flux
        assert web.given["spectra.parquet"] < size / 3
    assert np.array_equal(read, flux.values.to_numpy().reshape(n, pixels)[120:130])


def test_a_run_reads_a_catalogue_of_the_web(web, fmb):
    words = ("--model", "astropt", "--weights", "tiny", "--detector", "gaussian")
    unit = ("--set", "data.inputs.spectrum.unit=counts", "--allow-out-of-domain")
    done = fmb("run", "--data", f"{web.url}/deep2_spectra_hats", *words, *unit, "--top", "3")
    assert done.exit_code == 0, done.output
    assert "deep2_spectra-astropt-gaussian" in done.output
    assert "the strangest of 24" in done.output


@pytest.mark.parametrize("status", [404, 403, 503])
def test_what_the_web_refuses_is_one_line_that_names_the_url(web, fmb, status):
    web.status = status
    done = fmb("data", "show", f"{web.url}/deep2_spectra_hats")
    assert done.exit_code in (1, 2)
    assert done.stderr.count("\n") == 1
    assert f"{web.url}/deep2_spectra_hats" in done.stderr


def test_without_network_one_line_says_so(fmb):
    done = fmb("data", "show", "http://127.0.0.1:9/tree")
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert "cannot be reached" in done.stderr


def test_a_url_that_nothing_reads_is_refused(opened):
    with pytest.raises(DataError, match="ftp://x/y: no installed reader takes such URLs"):
        opened("ftp://x/y")


def test_a_missing_library_is_named_with_its_extra(opened, monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(ConfigError, match=r"pip install 'fmb-surveys\[remote\]'"):
        opened("s3://bucket/tree")


@pytest.mark.parametrize("broken", ["partition", "metadata", "list", "properties"])
def test_a_damaged_part_is_named(trees, tmp_path, opened, broken):
    import shutil

    shutil.copytree(trees / "deep2_spectra_hats" / "deep2_spectra", tmp_path / "t")
    names = {
        "partition": "dataset/Norder=7/Dir=40000/Npix=45703.parquet",
        "metadata": "dataset/_metadata",
        "list": "partition_info.csv",
        "properties": "hats.properties",
    }
    file = tmp_path / "t" / names[broken]
    if broken == "properties":
        file.write_text(file.read_text().replace("hats_nrows=24", "hats_nrows=25"))
    else:
        file.write_bytes(file.read_bytes()[:-9] if broken != "list" else b"Order,Pixel\n1,2\n")
    with WebStandIn(tmp_path) as web:
        if broken == "metadata":  # footers of the partitions tell the same
            assert len(opened(f"{web.url}/t", **SAID["spectrum"])) == 24
            return
        with pytest.raises(DataError, match=names[broken].rpartition("/")[2]):
            opened(f"{web.url}/t", **SAID["spectrum"]).read(np.arange(24))


def test_s3_is_read_like_the_web(trees, opened, monkeypatch):
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0)
    import boto3
    import s3fs

    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        for name, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": endpoint,
        }.items():
            monkeypatch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        client = boto3.client("s3", endpoint_url=endpoint)
        client.create_bucket(Bucket="sky")
        tree = trees / "deep2_spectra_hats"
        for file in tree.rglob("*"):
            if file.is_file():
                client.upload_file(str(file), "sky", f"spec/{file.relative_to(tree).as_posix()}")
        same(
            opened("s3://sky/spec", **SAID["spectrum"]),
            opened(tree, **SAID["spectrum"]),
            "spectrum",
        )
        folder = "deep2_spectra/dataset/Norder=7"
        there = opened(f"s3://sky/spec/{folder}", **SAID["spectrum"])
        same(there, opened(tree / folder, **SAID["spectrum"]), "spectrum")
        with pytest.raises((DataError, FailedError), match="s3://sky/none"):
            opened("s3://sky/none", **SAID["spectrum"])
    finally:
        server.stop()


READ_ALL = """
import pathlib, sys, tempfile
import numpy as np
from fmb.datasets import open_dataset
said = {"inputs": {"spectrum": {"unit": "counts"}}}
for source in sys.argv[1:]:
    with tempfile.TemporaryDirectory() as home:
        survey = open_dataset(source, settings=said, cache=pathlib.Path(home) / "data")
        read = survey.read(np.arange(24)).inputs["spectrum"]
        print(survey.ids.tolist(), float(read.flux.astype("f8").sum()))
"""


def test_a_dataset_of_the_hub_is_read_like_the_web(trees):
    with HubOfDatasets(trees) as hub:
        tree = "deep2_spectra_hats"
        places = (tree, f"{tree}/deep2_spectra/dataset/Norder=7")
        names = [str(trees / place) for place in places]
        names += [f"hf://datasets/me/sky/{place}" for place in places]
        # The hub's library reads where the hub is when it is imported.
        done = subprocess.run(
            [sys.executable, "-c", READ_ALL, *names],
            env={**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_TELEMETRY": "1"},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    here, folder, *there = done.stdout.splitlines()
    assert there == [here, folder]
    assert hub.given
