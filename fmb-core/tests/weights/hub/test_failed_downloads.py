"""What goes wrong in a download, and that nothing is left of it."""

import errno
import os
import subprocess
import sys

import pytest
from huggingface_hub import constants

from fmb.messages.errors import FailedError, WeightsError

FIRST = "a" * 40
REPO = "polymathic-ai/aion-toy"


def test_offline(place, hub, monkeypatch):
    endpoint = os.environ["HF_ENDPOINT"]
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port: nobody listens
    place.fails(FailedError, "no connection to http://127.0.0.1:9")
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    place.works()


@pytest.mark.parametrize("switch", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_told_to_be_offline(place, hub, monkeypatch, switch):
    monkeypatch.setenv(switch, "true")
    place.fails(WeightsError, f"hf:{REPO}: {switch} is set; unset it to download")
    assert hub.asked == []
    monkeypatch.setenv(switch, "0")
    place.works()


def test_what_counts_is_what_is_set_at_the_download_not_at_an_import(place, hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    place.works()
    assert constants.HF_HUB_OFFLINE is True


def test_a_place_of_the_client_of_the_hub_that_is_no_folder_is_named(
    tmp_path, place, hub, monkeypatch
):
    (tmp_path / "file").write_text("not a folder")
    token = tmp_path / "file" / "token"
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(token))  # of HF_HOME when it was imported
    place.fails(WeightsError, f"cannot use {token}: Not a directory; HF_HOME says where")


def test_a_setting_that_the_client_of_the_hub_does_not_take_is_one_line(home):
    code = f"""
from pathlib import Path
from fmb.weights.download import download
from fmb.weights.hub import HubReference
download(HubReference("{REPO}"), Path("{home}"), asked="toy", consider=print, accept=print)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "HF_HUB_DOWNLOAD_TIMEOUT": "soon"},
        capture_output=True,
        text=True,
    )
    told = done.stderr.splitlines()[-1]
    assert told.startswith("fmb.messages.errors.WeightsError: huggingface_hub cannot be imported")
    assert "'soon'): a variable of the environment whose name begins with HF_" in told


@pytest.mark.parametrize("token", ["", "hf_of_somebody_without_access"])
@pytest.mark.parametrize("public", [False, True])
def test_gated(place, hub, monkeypatch, token, public):
    hub.token, hub.listing_is_public = "hf_secret", public
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    place.fails(WeightsError, f"is gated: ask for access at {hub.endpoint}/{REPO}")
    with pytest.raises(WeightsError, match=r"`hf auth login` or set HF_TOKEN"):
        place.fetch()
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    place.works()


@pytest.mark.parametrize("status", [401, 403, 404])
def test_no_such_repository(place, hub, status):
    hub.refused = (status, "RepoNotFound" if status != 403 else "")
    place.fails(WeightsError, rf"no repository of that name .*\(HTTP {status}\)")
    hub.refused = None
    place.works()


def test_no_such_revision(place, hub):
    place.fails(WeightsError, "has no revision v9", reference=f"hf:{REPO}@v9")
    place.works()


def test_the_hub_is_ill(place, hub):
    hub.refused = (500, "")
    place.fails(FailedError, "the hub answered HTTP 500")
    hub.refused = None
    place.works()


def test_something_else_than_the_hub_answers(place, hub):
    hub.commits[FIRST], published = {}, hub.commits[FIRST]
    hub.page = b"<html>please log in to this network</html>"
    place.fails(FailedError, "no connection to")
    hub.page, hub.commits[FIRST] = b"", published
    place.works()


def test_no_weights_in_the_repository(place, hub):
    hub.commits[FIRST] = {"README.md": b"", "config.json": b"{}"}
    place.fails(WeightsError, "has no weights")
    hub.commits[FIRST] = place.published
    place.works()


def test_files_that_are_not_what_the_hub_states(place, hub):
    hub.stated_sha256["model.safetensors"] = "0" * 64
    place.fails(WeightsError, r"model\.safetensors came with sha256 .* it was removed")
    hub.stated_sha256.clear()
    place.works()


def test_an_interrupted_download_goes_on(place, hub):
    hub.broken_after["model.safetensors"] = 600_000
    place.fails(FailedError, "repeat the command")
    hub.broken_after.clear()
    hub.refused = None
    done = [line for line in hub.asked if line.startswith("GET") and line.endswith("config.json")]
    place.works()
    again = [line for line in hub.asked if line.startswith("GET") and line.endswith("config.json")]
    assert done == again  # what was whole is not fetched twice


def test_a_full_disk(place, hub, monkeypatch):
    import huggingface_hub.file_download as client

    def full(url, temp_file, **options):
        temp_file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(client, "http_get", full)
        place.fails(FailedError, "no space left")
    place.works()


def test_a_full_disk_at_the_import_leaves_nothing_half_imported(place, hub, monkeypatch):
    place.fetch()

    def full(path, folder, config):
        (folder / "model.safetensors").write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(place.toy, "resolve", lambda self, reference: full)
        with pytest.raises(FailedError, match="no space left"):
            place.resolve()
    for left in ("weights/*toy-base*", "weights/.*toy*"):
        assert list(place.home.glob(left)) == []
    assert place.resolve().card.architecture == {"dim": 4}


def test_a_killed_process_leaves_a_folder_that_is_checked_again(place, hub):
    # Killed between lock and rename, and between two files: neither is taken for finished.
    kept = place.home / "weights/hub/polymathic-ai--aion-toy"
    place.fetch()
    (kept / FIRST).rename(kept / f".{FIRST}.partial")
    with pytest.raises(WeightsError, match="is not downloaded"):
        place.resolve()
    (kept / f".{FIRST}.partial" / "config.json").write_bytes(b"{}")
    place.works()


def test_a_folder_without_an_entry_in_the_lock_is_checked_and_accepted_anew(place, hub):
    kept = place.fetch().folder
    (place.home / "weights.lock").unlink()
    (kept / "model.safetensors").write_bytes(b"planted")
    with pytest.raises(WeightsError, match="is not downloaded"):
        place.resolve()
    with pytest.raises(WeightsError, match="not accepted"):
        place.fetch(accept=lambda sha256: False)
    kept.mkdir()
    place.works()


def test_without_the_client_the_line_says_what_to_install(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(WeightsError, match=r"pip install 'fmb-core\[hub\]'"):
        place.fetch()
