"""Files that changed since they were accepted are refused by name."""

import hashlib
import os
import shutil

import numpy as np
import pytest
from safetensors.numpy import save, save_file

from fmb.contract.errors import WeightsError

FIRST, SECOND = "a" * 40, "b" * 40
REPO = "polymathic-ai/aion-toy"


def test_a_branch_that_moved_is_refused_until_allowed(place, hub, cli):
    place.fetch()
    hub.commits[SECOND] = {**place.published, "config.json": b'{"dim": 8}'}
    hub.branches["main"] = SECOND
    done = cli("download", "toy", "base", "--accept")
    assert done.exit_code == 2
    assert f"main moved from {FIRST}" in done.stderr
    assert f"`fmb weights download toy hf:{REPO}@{FIRST}`" in done.stderr
    assert "--allow-moving-revision" in done.stderr
    assert place.resolve().card.architecture == {"dim": 4}
    assert cli("download", "toy", "base", "--accept", "--allow-moving-revision").exit_code == 0
    assert place.resolve().card.architecture == {"dim": 8}
    assert place.resolve(f"hf:{REPO}@{FIRST}").card.architecture == {"dim": 4}


def test_a_file_that_changed_after_the_download_is_named(place, hub):
    found = place.fetch()
    (found.folder / "codecs/image/config.json").write_bytes(b'{"levels": [7, 6]}')
    with pytest.raises(WeightsError, match=r"codecs/image/config\.json is not what .*lock"):
        place.resolve()


def test_a_file_that_was_put_beside_the_download_is_named(place, hub):
    (place.fetch().folder / "adapter.safetensors").write_bytes(save({"w": np.ones(1, np.float32)}))
    with pytest.raises(WeightsError, match=r"adapter\.safetensors is not what"):
        place.resolve()


def test_an_imported_file_that_changed_is_named(place, hub):
    place.fetch()
    save_file({"encoder": np.zeros(3, np.float32)}, place.resolve().folder / "model.safetensors")
    with pytest.raises(WeightsError, match=r"model\.safetensors changed since the import"):
        place.resolve()


def test_other_files_under_a_locked_commit_are_refused(place, hub):
    found = place.fetch()
    shutil.rmtree(found.folder)
    hub.commits[FIRST] = {**place.published, "config.json": b'{"dim": 5}'}
    with pytest.raises(WeightsError, match=r"config\.json is not what .*weights\.lock records"):
        place.fetch()
    assert place.folders() == []
    hub.commits[FIRST] = place.published
    place.works()


def test_a_large_file_is_digested_once_while_it_stays_and_always_to_verify(place, hub, monkeypatch):
    monkeypatch.setattr("fmb.store.digests._SMALL_BYTES", 1 << 20)
    found = place.fetch()
    large = found.folder / "model.safetensors"
    for path in [large, *place.resolve().folder.glob("*.safetensors")]:
        os.utime(path, (1e9, 1e9))  # long settled
    place.resolve()
    read = []
    monkeypatch.setattr(
        "fmb.store.digests.file_sha256",
        lambda path: read.append(path) or hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    place.resolve()
    assert found.folder / "config.json" in read
    assert large not in read
    # A change that hides behind the same size and time is found by `fmb weights verify`.
    content = bytearray(large.read_bytes())
    content[-1] ^= 1
    large.write_bytes(content)
    os.utime(large, (1e9, 1e9))
    place.resolve()
    with pytest.raises(WeightsError, match=r"model\.safetensors is not what"):
        place.resolve(fresh=True)
