"""Own vectors from elsewhere: over HTTP, and from what fsspec opens."""

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest

from fmb.messages.errors import ConfigError, DataError, FailedError
from fmb.own.vector_file import open_vector_file
from fmb.store.digests import Digests
from fmb.vectors.asked import OwnVectors

fsspec = pytest.importorskip("fsspec")

N = 12
VALUES = np.arange(4 * N, dtype=np.float32).reshape(N, 4)


def read(tmp_path, *urls, **options):
    return open_vector_file(OwnVectors(file=urls), Digests(tmp_path / "home"), **options)


def only(survey):
    (view,) = survey.vectors.values()
    return view.values.tolist()


def copies(tmp_path):
    return sorted(path.name for path in (tmp_path / "home" / "copies").rglob("*.np?"))


@pytest.fixture
def served(tmp_path):
    """Address of a folder that a server of this machine gives out, and what was asked of it."""
    folder, asked = tmp_path / "served", []
    folder.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def copyfile(self, source, outputfile):
            asked.append(self.path)
            try:
                super().copyfile(source, outputfile)
            except ConnectionError:
                asked.pop()  # the client knew it already

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_of_the_web_is_copied_once_and_again_when_it_changed(tmp_path, served):
    folder, address = served
    np.savez(folder / "v.npz", image=VALUES)
    told = []
    first = read(tmp_path, f"{address}/v.npz", progress=lambda *args: told.append(args))
    assert only(first) == VALUES.tolist()
    size = (folder / "v.npz").stat().st_size
    assert told == [("copy v.npz", size, size)]
    (copy,) = (tmp_path / "home" / "copies").rglob("*.npz")
    inode = copy.stat().st_ino
    read(tmp_path, f"{address}/v.npz")
    assert copy.stat().st_ino == inode  # it was not written again
    np.savez(folder / "v.npz", image=VALUES, other=-VALUES)
    assert len(read(tmp_path, f"{address}/v.npz").vectors) == 2
    assert copies(tmp_path) == ["v.npz", "v.npz"]


def test_what_the_web_does_not_have_is_one_line(tmp_path, served):
    _, address = served
    with pytest.raises(DataError, match=r"/v\.npz: 404 "):
        read(tmp_path, f"{address}/v.npz")
    with pytest.raises(DataError, match="names no file"):
        read(tmp_path, f"{address}/")
    with pytest.raises(FailedError, match=r"cannot be reached: .*; try again with network"):
        read(tmp_path, "http://127.0.0.1:9/v.npz")


@pytest.fixture
def memory():
    """An empty file system in memory."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    yield system
    system.store.clear()


def put(system, name, values):
    system.makedirs(name.rpartition("/")[0], exist_ok=True)
    with system.open(name, "wb") as stream:
        np.save(stream, values)


@pytest.mark.parametrize("url", ["memory://sky", "memory://sky/part-*.npy"])
def test_folders_and_patterns_of_another_file_system(tmp_path, memory, url):
    for part in range(3):
        put(memory, f"/sky/part-{part}.npy", VALUES[4 * part : 4 * part + 4])
    put(memory, "/sky/_metadata.npy", VALUES[:1])
    assert only(read(tmp_path, url)) == VALUES.tolist()
    assert copies(tmp_path) == ["part-0.npy", "part-1.npy", "part-2.npy"]


def test_a_url_of_this_machine_is_a_path(tmp_path):
    np.save(tmp_path / "v.npy", VALUES)
    assert only(read(tmp_path, f"file://{tmp_path}/v.npy")) == VALUES.tolist()
    assert not (tmp_path / "home" / "copies").exists()


def test_nothing_there_is_one_line(tmp_path, memory):
    with pytest.raises(FailedError, match=r"memory://none\.npy: cannot be read"):
        read(tmp_path, "memory://none.npy")
    with pytest.raises(DataError, match=r"memory://sky/\*\.npy: no file of vectors there"):
        read(tmp_path, "memory://sky/*.npy")
    with pytest.raises(ConfigError, match=r"nowhere://v\.npy: .*nowhere"):
        read(tmp_path, "nowhere://v.npy")


def test_without_fsspec_other_urls_say_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(ConfigError, match=r"needs fsspec: pip install 'fmb-core\[remote\]'"):
        read(tmp_path, "s3://bucket/v.npy")


def test_a_copy_that_breaks_off_is_not_kept(tmp_path, memory, monkeypatch):
    put(memory, "/v.npy", VALUES)
    monkeypatch.setattr(type(memory), "info", lambda *args, **more: {"size": 10**6, "type": "file"})
    with pytest.raises(FailedError, match=r"of 1,000,000 bytes came"):
        read(tmp_path, "memory://v.npy")
    assert copies(tmp_path) == []
