"""Vectors of processes that are killed or share their objects: those of an undisturbed run."""

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import fmb
from fmb.store.claims import Claims
from fmb.store.parts import PartStore

N_OBJECTS = 192
CHUNKS = 12
EMBED = (
    "embed", "--model", "counting", "--weights", "random", "--data", "survey.toml",
    "--batch-size", "8",
)  # fmt: skip
CHILD = """
import os, sys
os.environ["FMB_HOME"] = {home!r}
os.environ["COUNTING_LOG"] = {home!r} + ".txt"
sys.path.insert(0, {site!r})
os.chdir({cwd!r})
from fmb.cli import main
main({args!r}, prog_name="fmb")
"""


@pytest.fixture(scope="module")
def context():
    """Children that start with everything imported, so that a kill hits the work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fmb.commands.embed", "fmb.torch", "fmb.embedding.embed"])
    return context


def start(context, cwd: Path, home: str, args=EMBED):
    site = str(cwd / "counting-site")
    code = CHILD.format(home=str(cwd / home), cwd=str(cwd), args=list(args), site=site)
    process = context.Process(target=exec, args=(code, {}))
    process.start()
    return process


def vectors(home: Path) -> dict[str, dict[bytes, bytes]]:
    """Folder -> what was read of an object -> its vector; of two the one published first."""
    found: dict[str, dict[bytes, bytes]] = {}
    for sidecar in sorted(home.glob("embeddings/*/*/part-*.json")):
        part = load_file(sidecar.with_suffix(".safetensors"))
        assert not part["state"].any()
        own = found.setdefault(sidecar.parent.name, {})
        for digest, vector in zip(part["input"], part["embedding"], strict=True):
            own.setdefault(digest.tobytes(), vector.tobytes())
    return found


def parts(home: Path) -> int:
    return len(list(home.glob("embeddings/*/*image*/part-*.json")))


@pytest.fixture
def cut(tmp_path, context, counting, make_survey):
    """cut(home) gives a workspace in which this request is cut into so many small chunks."""
    make_survey(tmp_path, n=N_OBJECTS)
    start(context, tmp_path, "first").join()
    (found,) = (tmp_path / "first").glob("embeddings/*/cuts/*.json")
    small = {"batch": 8, "chunk": N_OBJECTS // CHUNKS // 8, "seconds": 0.1, "alone": [3, 5]}

    def make(home: str) -> Path:
        place = tmp_path / home / found.relative_to(tmp_path / "first")
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps(small))
        return tmp_path / home

    return make


@pytest.mark.slow
def test_twenty_kills_at_random_moments_leave_the_vectors_of_an_undisturbed_run(
    tmp_path, context, cut
):
    quiet = start(context, tmp_path, cut("undisturbed").name)
    quiet.join()
    expected = vectors(tmp_path / "undisturbed")
    assert [len(own) for own in expected.values()] == 3 * [N_OBJECTS]
    assert parts(tmp_path / "undisturbed") == CHUNKS
    rng = np.random.default_rng(20)
    hit = lost = 0
    for kill in range(20):
        home = cut(f"home-{kill}")
        process = start(context, tmp_path, home.name)
        wanted, jitter = rng.integers(0, CHUNKS), rng.uniform(0, 0.03)
        while parts(home) < wanted:
            assert process.is_alive() or process.exitcode == 0
            time.sleep(0.001)
        time.sleep(jitter)
        process.kill()
        process.join()
        hit += process.exitcode == -signal.SIGKILL
        for name, own in vectors(home).items():  # a sidecar promises a whole body
            assert own.items() <= expected[name].items()
        resumed = start(context, tmp_path, home.name)
        resumed.join()
        assert resumed.exitcode == 0
        assert vectors(home) == expected
        lost += len((tmp_path / f"{home.name}.txt").read_text().split()) - N_OBJECTS
    assert hit >= 15
    # A kill costs a chunk at most, the first of which has the objects encoded alone besides.
    assert lost <= 20 * (N_OBJECTS // CHUNKS + 2)


@pytest.mark.slow
def test_processes_with_one_request_share_its_objects(tmp_path, context, cut):
    home = cut("shared")
    both = [start(context, tmp_path, home.name) for _ in range(2)]
    for process in both:
        process.join()
        assert process.exitcode == 0
    encoded = (tmp_path / "shared.txt").read_text().split()
    assert len(encoded) == len(set(encoded)) == N_OBJECTS
    start(context, tmp_path, cut("alone").name).join()
    assert vectors(home) == vectors(tmp_path / "alone")


@pytest.mark.slow
def test_processes_without_a_cut_agree_on_one(tmp_path, context, counting, make_survey):
    make_survey(tmp_path, n=N_OBJECTS)
    both = [start(context, tmp_path, "shared") for _ in range(2)]
    for process in both:
        process.join()
        assert process.exitcode == 0
    encoded = (tmp_path / "shared.txt").read_text().split()
    assert len(encoded) == len(set(encoded)) == N_OBJECTS
    assert len(list((tmp_path / "shared").glob("embeddings/*/cuts/*.json"))) == 1
    assert not list((tmp_path / "shared").glob("embeddings/*/claims/*/*"))


def test_what_was_encoded_to_find_the_cut_is_not_encoded_again(
    tmp_path, counting, make_survey, home, monkeypatch
):
    make_survey(tmp_path, n=24)
    request = {"model": "counting", "weights": "random", "data": "survey.toml", "batch_size": 8}
    add, take = PartStore.add, Claims.take
    other = threading.Thread(target=fmb.embed, kwargs=request)
    at_the_first_chunk = threading.Event()

    def slow(self, *args, **kwargs):
        """The cut is there, what was encoded to find it is not: somebody else comes."""
        if not other.ident:
            other.start()
            assert at_the_first_chunk.wait(60)
        return add(self, *args, **kwargs)

    def watched(self, name):
        claimed = take(self, name)
        if threading.current_thread() is other and name == "0":
            at_the_first_chunk.set()
        return claimed

    monkeypatch.setattr(PartStore, "add", slow)
    monkeypatch.setattr(Claims, "take", watched)
    fmb.embed(**request)
    other.join()
    encoded = counting.ids()
    assert len(encoded) == len(set(encoded)) == 24


def test_one_that_comes_late_to_the_cut_takes_that_of_the_others(
    tmp_path, counting, make_survey, home, monkeypatch
):
    make_survey(tmp_path, n=24)
    request = {"model": "counting", "weights": "random", "data": "survey.toml", "batch_size": 8}
    take, release, early = Claims.take, Claims.release, []

    def broken(self, name):
        release(self, name)
        if name == "cut" and len(early) == 1:
            early.append("broke off")
            raise OSError(errno.ENOSPC, "for once")

    def late(self, name):
        """Between looking for a cut and the claim to find one, somebody else has found it."""
        if name == "cut" and not early:
            early.append("came")
            with pytest.raises(OSError, match="for once"):
                fmb.embed(**request)
        return take(self, name)

    monkeypatch.setattr(Claims, "take", late)
    monkeypatch.setattr(Claims, "release", broken)
    fmb.embed(**request)
    assert early == ["came", "broke off"]
    parts = sorted(home.glob("embeddings/*/*image*/part-*.json"))
    assert [json.loads(part.read_text())["batches"] for part in parts] == [[1, 1], [8, 8, 6]]


@pytest.mark.slow
def test_processes_with_different_selections_leave_none_out_and_read_none_twice(
    tmp_path, context, counting, make_survey
):
    make_survey(tmp_path, n=N_OBJECTS)
    both = [
        start(context, tmp_path, "shared", (*EMBED, "--where", where))
        for where in ("mag < 21", "mag > 19")
    ]
    for process in both:
        process.join()
        assert process.exitcode == 0
    encoded = (tmp_path / "shared.txt").read_text().split()
    assert len(set(encoded)) == N_OBJECTS
    assert [len(own) for own in vectors(tmp_path / "shared").values()] == 3 * [N_OBJECTS]
    again = start(context, tmp_path, "shared")
    again.join()
    assert len((tmp_path / "shared.txt").read_text().split()) == len(encoded)


def processes() -> dict[int, int]:
    """Process -> its parent, of all that run."""
    command = ["ps", "-e", "-o", "pid=,ppid=,stat="]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [line.split() for line in lines]
    return {int(pid): int(parent) for pid, parent, state in rows if not state.startswith("Z")}


@pytest.mark.slow
@pytest.mark.parametrize("how", [("--engine", "local"), ("--workers", "2")])
def test_processes_that_were_started_end_with_a_killed_one(
    tmp_path, context, counting, make_survey, monkeypatch, how
):
    make_survey(tmp_path, n=N_OBJECTS)
    monkeypatch.setenv("COUNTING_SECONDS", "0.2")
    environment = {**os.environ, "FMB_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "fmb", *EMBED, *how]
    with subprocess.Popen(command, cwd=tmp_path, env=environment) as main:
        started: set[int] = set()
        while not (started and (tmp_path / "encoded.txt").exists()):
            assert main.poll() is None
            time.sleep(0.05)
            started = {pid for pid, parent in processes().items() if parent == main.pid}
        time.sleep(1)  # so that they watch
        main.kill()
    for _ in range(200):
        left = started & set(processes())
        if not left:
            break
        time.sleep(0.1)
    assert not left
