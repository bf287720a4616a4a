"""`fmb samp`: a list goes to a program on the hub, and what its user points at comes back."""

import threading
import time
import urllib.request

import numpy as np
import pytest
from astropy.table import Table

from fmb import open_run

samp = pytest.importorskip("pyvo.samp", reason="pyvo, an extra of fmb-surveys, is not installed")

N = 40
IDS = 2**62 + 11 * np.arange(N)


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


@pytest.fixture
def run(fmb, tmp_path, monkeypatch):
    """A run called mine; no program finds any hub but one of the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'hub').as_uri()}")
    np.savez("v.npz", object_id=IDS, a=np.random.default_rng(0).normal(size=(N, 3)))
    own = ("--embeddings", "v.npz", "--out", "mine", "--no-companions")
    done(fmb("detect", *own, "--detector", "gaussian"))
    return open_run("mine")


@pytest.fixture
def hub(run):
    with samp.conf.set_temp("use_internet", False):
        hub = samp.SAMPHubServer(web_profile=False, addr="127.0.0.1")
        hub.start()
        # Nothing waits for ever for what never comes.
        guard = threading.Timer(60, hub.stop)
        guard.start()
        yield hub
        guard.cancel()
        if hub.is_running:
            hub.stop()


class Viewer:
    """A program that loads tables and of which somebody uses the mouse."""

    def __init__(self, *pointed, fails=False):
        self.table, self.pointed, self.fails = None, pointed, fails
        self.client = samp.SAMPIntegratedClient(name="viewer", addr="127.0.0.1")
        self.client.connect()
        self.client.bind_receive_call("table.load.votable", self._load)

    def _load(self, key, sender, message, kind, words, extra):
        if self.fails:
            error = {"samp.status": "samp.error", "samp.error": {"samp.errortxt": "too wide"}}
            self.client.reply(message, error)
            return
        with urllib.request.urlopen(words["url"]) as stream:
            self.table = Table.read(stream, format="votable")
        self.client.reply(message, {"samp.status": "samp.ok", "samp.result": {}})
        threading.Thread(target=self._point, args=(sender, words["table-id"])).start()

    def _point(self, to, table):
        for kind, words in self.pointed:
            time.sleep(0.1)
            params = {"table-id": table, **words}
            self.client.notify(to, {"samp.mtype": kind, "samp.params": params})


@pytest.fixture
def viewer(hub):
    made = []

    def start(*pointed, **options):
        made.append(Viewer(*pointed, **options))
        return made[0]

    yield start
    for one in made if hub.is_running else ():
        one.client.disconnect()


def selected(*rows):
    return "table.select.rowList", {"row-list": [str(row) for row in rows]}


def highlighted(row):
    return "table.highlight.row", {"row": str(row)}


def test_the_list_that_arrives_is_that_of_the_run_with_exact_ids(fmb, run, viewer):
    seen = viewer()
    said = done(fmb("samp", "mine", "--top", 7, "--once"))
    expected = run.top(7, list="gaussian")["object_id"]
    assert seen.table["object_id"].tolist() == expected.tolist()
    assert "sent to viewer" in said.stderr


def test_a_highlighted_row_shows_its_object_and_a_selection_is_labelled(fmb, run, viewer):
    viewer(highlighted(2), selected(0, 3))
    said = done(fmb("samp", "mine", "--label", "odd", "--once"))
    strangest = run.top(4, list="gaussian")["object_id"].tolist()
    assert str(strangest[2]) in said.stdout
    assert "2 objects labelled odd" in said.stdout
    labels = dict(zip(run.objects["object_id"], open_run("mine").labels, strict=True))
    assert {one for one, name in labels.items() if name == "odd"} == {strangest[0], strangest[3]}


def test_rows_of_other_tables_and_rows_that_are_not_there_change_nothing(fmb, run, viewer):
    kind, words = selected(1)
    viewer((kind, {**words, "table-id": "another"}), selected(5, N), selected(2))
    said = done(fmb("samp", "mine", "--label", "odd", "--once"))
    assert f"names row {N} of a table of {N}" in said.stderr
    third = run.top(3, list="gaussian")["object_id"].tolist()[2]
    labelled = open_run("mine").labels == "odd"
    assert run.objects["object_id"][labelled].tolist() == [third]


def test_it_ends_when_the_hub_does_and_prints_ids_of_a_selection(fmb, run, hub, viewer):
    viewer(selected(1, 4))
    threading.Timer(3, hub.stop).start()
    said = done(fmb("samp", "mine"))
    first = run.top(5, list="gaussian")["object_id"].tolist()
    printed = [line for line in said.stdout.split("\n") if line.isdigit()]  # the hub talks too
    assert printed == [str(first[1]), str(first[4])]
    assert "the SAMP hub went away" in said.stderr


def failed(result, *words):
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1), result.stderr
    for word in words:
        assert word in result.stderr


def test_without_a_hub_one_line_says_what_to_start(fmb, run):
    failed(fmb("samp", "mine"), "no SAMP hub is running", "start TOPCAT")


def test_without_a_program_that_shows_tables_one_line_says_so(fmb, run, hub):
    failed(fmb("samp", "mine"), "no program on the SAMP hub shows tables", "TOPCAT or Aladin")


def test_a_program_that_cannot_load_the_table_is_named_with_its_reason(fmb, run, viewer):
    viewer(fails=True)
    failed(fmb("samp", "mine", "--once"), "viewer could not load the table: too wide")
