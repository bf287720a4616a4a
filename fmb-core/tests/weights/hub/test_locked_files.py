"""Files that changed since they were accepted are refused by name."""

import os
import shutil

import numpy as np
import pytest
from safetensors.numpy import save, save_file

from fmb.messages.errors import WeightsError

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


def hide_a_change(path):
    """Change the last digit or byte of a file behind the same size and time."""
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)
    os.utime(path, (1e9, 1e9))


def test_a_large_file_is_digested_once_while_it_stays_and_always_to_verify(place, hub):
    big = save({"encoder": np.zeros(5_000_000, np.float32)})  # 20 MB
    hub.commits[FIRST] = {**place.published, "model.safetensors": big}
    downloaded = place.fetch().folder
    imported = place.resolve().folder
    for path in (*downloaded.glob("**/*.*"), *imported.glob("**/*.*")):
        os.utime(path, (1e9, 1e9))  # long settled
    place.resolve()
    hide_a_change(downloaded / "model.safetensors")
    place.resolve()
    with pytest.raises(WeightsError, match=r"model\.safetensors is not what"):
        place.resolve(fresh=True)


def test_a_small_file_is_digested_every_time(place, hub):
    downloaded = place.fetch().folder
    os.utime(downloaded / "config.json", (1e9, 1e9))
    place.resolve()
    hide_a_change(downloaded / "config.json")
    with pytest.raises(WeightsError, match=r"config\.json is not what"):
        place.resolve()
