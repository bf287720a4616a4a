"""Downloads, against a stand-in of the hub: what goes wrong, and that nothing is left of it."""

import errno
import hashlib
import json
import os
import shutil
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from huggingface_hub import constants
from safetensors.numpy import load_file, save, save_file

from fmb.card import Card
from fmb.cli import main
from fmb.config import Config
from fmb.errors import FailedError, WeightsError
from fmb.hub import HubReference
from fmb.hub_download import download
from fmb.plugins import Plugins
from fmb.registry import Component, Registry
from fmb.specs import Accepts, ModelSpec, WeightsSpec
from fmb.testing.hub_stand_in import HubStandIn
from fmb.weights import resolve_weights
from fmb.weights_lock import Lock

FIRST, SECOND = "a" * 40, "b" * 40
REPO = "polymathic-ai/aion-toy"
ACCEPTS = (Accepts(slot="image", kind="images"),)
SPEC = ModelSpec(
    name="toy",
    summary="A toy",
    target="none:None",
    config="fmb.config:Config",
    accepts=ACCEPTS,
    views={"image": ("image",)},
    embedders=("mean",),
    weights=(
        WeightsSpec(name="random", summary="drawn", card="toys:drawn"),
        WeightsSpec(name="base", summary="published", location=f"hf:{REPO}"),
    ),
    importer="toys:imported",
    converter="toys:converted",
)


def card(**changes):
    given = {"model": "toy", "name": "mine", "architecture": {}, "preprocessing": {}}
    return Card(**{**given, "accepts": ACCEPTS, **changes}).model_dump_json()


def imported(path, folder, config):
    """What an importer does with the layout of AION: keep the encoder's tensors."""
    sizes = json.loads((path / "config.json").read_text())
    tensors = load_file(path / "model.safetensors")
    codec = load_file(path / "codecs" / "image" / "model.safetensors")
    kept = {k: v for k, v in {**tensors, **codec}.items() if not k.startswith("decoder")}
    save_file(kept, folder / "model.safetensors")
    (folder / "card.json").write_text(card(architecture=sizes))


def converted(tensors, folder, config, source):
    shutil.copy(tensors, folder / "model.safetensors")
    (folder / "card.json").write_text(card(source=source))


class Options(Config):
    dim: int = 0


class Toy(Component):
    def resolve(self, reference):
        return {"toys:imported": imported, "toys:converted": converted}[reference]


COMPONENT = Toy(SPEC, "toys", "fmb-toys", "1.0")

PUBLISHED = {
    ".gitattributes": b"*.safetensors filter=lfs",
    "README.md": b"# AION",
    "config.json": b'{"dim": 4}',
    "model.safetensors": save(
        {"encoder": np.arange(400_000, dtype=np.float32), "decoder": np.ones(5, np.float32)}
    ),
    "codecs/image/config.json": b'{"levels": [7, 5]}',
    "codecs/image/model.safetensors": save({"codec": np.ones(3, np.float32)}),
}
WANTED = sorted(name for name in PUBLISHED if not name.startswith((".", "README")))


@pytest.fixture
def hub(monkeypatch):
    with HubStandIn(REPO, {FIRST: PUBLISHED}, {"main": FIRST}) as stand_in:
        monkeypatch.setenv("HF_ENDPOINT", stand_in.endpoint)
        monkeypatch.setattr("time.sleep", lambda seconds: None)  # between attempts of the client
        yield stand_in


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return tmp_path / "home"


@pytest.fixture
def cli(home, monkeypatch):
    registry = Registry()
    registry.add(COMPONENT)
    monkeypatch.setattr("fmb.plugins.load_plugins", lambda: Plugins(registry, ()))
    monkeypatch.setattr(Toy, "load_config", lambda self: Options)

    def run(*arguments, **options):
        return CliRunner().invoke(main, ["weights", *arguments], **options)

    return run


def fetch(home, reference=f"hf:{REPO}", **options):
    given = {"consider": lambda offer: None, "accept": lambda sha256: True, **options}
    return download(HubReference.parse(reference), home, asked=f"toy {reference}", **given)


def resolve(home, reference="base", **options):
    return resolve_weights(COMPONENT, reference, Options(), seed=0, workspace=home, **options)


def folders(home):
    """What looks finished in the place of downloads."""
    return [p.name for p in home.glob("weights/hub/*/*") if not p.name.startswith(".")]


def checkpoint(path):
    torch.save({"state_dict": {"w": torch.ones(3)}}, path)
    return path


# The way it should go.


def test_a_repository_is_downloaded_locked_and_used_without_network(home, hub, cli):
    done = cli("download", "toy", "base", "--accept")
    assert done.exit_code == 0, done.stderr
    assert f"hf:{REPO} at commit {FIRST}" in done.stderr
    for name in WANTED:
        digest = hashlib.sha256(PUBLISHED[name]).hexdigest()
        assert f"{len(PUBLISHED[name]):>15,} bytes  {name}" in done.stderr
        assert f"sha256 {digest}  {name}" in done.stderr
    assert "README" not in done.stderr
    assert f"base: verified, hf:{REPO}@{FIRST}" in done.stdout
    lock = json.loads((home / "weights.lock").read_text())
    assert lock["hub"][REPO] == {
        "revisions": {"main": FIRST},
        "commits": {FIRST: {n: hashlib.sha256(PUBLISHED[n]).hexdigest() for n in WANTED}},
    }
    assert folders(home) == [FIRST]
    assert list(home.glob("weights/hub/*/.*")) == []

    hub.refused = (500, "")  # from here on nothing is asked of it
    asked = list(hub.asked)
    for reference in ("base", f"hf:{REPO}", f"hf:{REPO}@main", f"hf:{REPO}@{FIRST}"):
        found = resolve(home, reference)
        assert load_file(found.folder / "model.safetensors").keys() == {"encoder", "codec"}
        assert found.card.architecture == {"dim": 4}
        assert Lock(home).state(found) == "verified"
    assert cli("download", "toy", f"hf:{REPO}@{FIRST}").exit_code == 0
    assert hub.asked == asked


def test_a_repository_of_fmb_weights_is_used_as_it_is(home, hub):
    tensors = save({"w": np.ones(3, np.float32)})
    hub.commits[FIRST] = {"card.json": card().encode(), "model.safetensors": tensors}
    fetch(home)
    assert resolve(home).folder == home / "weights/hub/polymathic-ai--aion-toy" / FIRST


def test_a_repository_with_only_a_checkpoint_is_converted(home, hub, cli, tmp_path):
    content = checkpoint(tmp_path / "toy.ckpt").read_bytes()
    hub.commits[FIRST] = {"README.md": b"", "toy.ckpt": content}
    done = cli("download", "toy", "base", "--accept")
    assert done.exit_code == 0, done.stderr
    found = resolve(home)
    assert found.card.source == "toy.ckpt"
    assert load_file(found.folder / "model.safetensors")["w"].tolist() == [1, 1, 1]


def test_a_workspace_that_was_moved_stays_locked(home, hub, tmp_path):
    fetch(home)
    resolve(home)
    own = tmp_path / "home" / "weights" / "own"
    own.mkdir()
    save_file({"w": np.ones(2, np.float32)}, own / "model.safetensors")
    (own / "card.json").write_text(card())
    Lock(home).accept(resolve(home, str(own)))
    home.rename(tmp_path / "moved")
    assert Lock(tmp_path / "moved").state(resolve(tmp_path / "moved")) == "verified"
    moved = resolve(tmp_path / "moved", str(tmp_path / "moved" / "weights" / "own"))
    assert Lock(tmp_path / "moved").state(moved) == "verified"


def test_weights_are_verified_as_the_run_imports_them(cli, home, hub):
    fetch(home)
    folder = str(resolve(home).folder)
    for settings in ((), ("--set", "dim=8")):
        done = cli("verify", "toy", "base", *settings)
        assert done.exit_code == 0
        assert (folder in done.stdout) == (not settings)
    done = cli("verify", "toy", "base", "--set", "dmi=8")
    assert done.exit_code == 2
    assert "did you mean 'dim'" in done.stderr


# Asking.


def test_without_a_person_to_ask_nothing_is_downloaded(home, hub, cli):
    done = cli("download", "toy", "base")
    assert done.exit_code == 2
    assert "repeat with --accept" in done.stderr
    assert not any("GET" in line and "/resolve/" in line for line in hub.asked)
    assert not (home / "weights.lock").exists()


def test_what_was_accepted_before_needs_nobody(home, hub, cli):
    shutil.rmtree(fetch(home).folder)
    assert cli("download", "toy", "base").exit_code == 0


def test_a_person_is_shown_the_digests_and_asked(home, hub, cli, monkeypatch):
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr("fmb.cli.weights.sys", SimpleNamespace(stdin=terminal))
    done = cli("download", "toy", "base", input="n\n")
    assert done.exit_code == 2
    assert done.stderr.index("sha256") < done.stderr.index("use these files?")
    assert folders(home) == []
    assert cli("download", "toy", "base", input="y\n").exit_code == 0
    assert folders(home) == [FIRST]


def test_a_no_leaves_nothing_in_place_and_a_later_yes_downloads_nothing_twice(home, hub):
    with pytest.raises(WeightsError, match="not accepted"):
        fetch(home, accept=lambda sha256: False)
    assert folders(home) == []
    assert not (home / "weights.lock").exists()
    with pytest.raises(WeightsError, match="is not downloaded"):
        resolve(home)
    before = len([line for line in hub.asked if line.startswith("GET") and "resolve" in line])
    fetch(home)
    after = len([line for line in hub.asked if line.startswith("GET") and "resolve" in line])
    assert before == after == len(WANTED)


@pytest.mark.parametrize("reference", [f"hf:{REPO}", f"hf:{REPO}@main", f"hf:{REPO}@{FIRST}"])
def test_a_run_downloads_nothing_by_itself(home, hub, reference):
    with pytest.raises(WeightsError, match="run `fmb weights download toy hf:") as raised:
        resolve(home, reference)
    assert "\n" not in str(raised.value)
    assert hub.asked == []


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("random", "need no download"),
        ("bas", "did you mean 'base'"),
        ("hf:x", "OWNER/NAME"),
        ("hf:a--b/c", "cannot be the name of a repository"),
    ],
)
def test_what_cannot_be_downloaded_is_said(cli, reference, told):
    done = cli("download", "toy", reference)
    assert done.exit_code == 2
    assert told in done.stderr


# What goes wrong.


def fails(home, hub, kind, told, **options):
    """The download fails with one line and leaves nothing that looks finished."""
    with pytest.raises(kind, match=told) as raised:
        fetch(home, **options)
    assert "\n" not in str(raised.value)
    assert folders(home) == []
    assert not (home / "weights.lock").exists()


def works(home):
    """A repeat downloads the files as they were published."""
    found = fetch(home)
    assert folders(home) == [FIRST]
    for name in WANTED:
        assert (found.folder / name).read_bytes() == PUBLISHED[name]


def test_offline(home, hub, monkeypatch):
    endpoint = os.environ["HF_ENDPOINT"]
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port: nobody listens
    fails(home, hub, FailedError, "no connection to http://127.0.0.1:9")
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    works(home)


def test_told_to_be_offline(home, hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    fails(home, hub, WeightsError, "HF_HUB_OFFLINE is set")
    assert hub.asked == []
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    works(home)


@pytest.mark.parametrize("token", ["", "hf_of_somebody_without_access"])
@pytest.mark.parametrize("public", [False, True])
def test_gated(home, hub, monkeypatch, token, public):
    hub.token, hub.listing_is_public = "hf_secret", public
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    fails(home, hub, WeightsError, f"is gated: ask for access at {hub.endpoint}/{REPO}")
    with pytest.raises(WeightsError, match=r"`hf auth login` or set HF_TOKEN"):
        fetch(home)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    works(home)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_no_such_repository(home, hub, status):
    hub.refused = (status, "RepoNotFound" if status != 403 else "")
    fails(home, hub, WeightsError, rf"no repository of that name .*\(HTTP {status}\)")
    hub.refused = None
    works(home)


def test_no_such_revision(home, hub):
    fails(home, hub, WeightsError, "has no revision v9", reference=f"hf:{REPO}@v9")
    works(home)


def test_the_hub_is_ill(home, hub):
    hub.refused = (500, "")
    fails(home, hub, FailedError, "the hub answered HTTP 500")
    hub.refused = None
    works(home)


def test_something_else_than_the_hub_answers(home, hub):
    hub.commits[FIRST], published = {}, hub.commits[FIRST]
    hub.page = b"<html>please log in to this network</html>"
    fails(home, hub, FailedError, "no connection to")
    hub.page, hub.commits[FIRST] = b"", published
    works(home)


def test_no_weights_in_the_repository(home, hub):
    hub.commits[FIRST] = {"README.md": b"", "config.json": b"{}"}
    fails(home, hub, WeightsError, "has no weights")
    hub.commits[FIRST] = PUBLISHED
    works(home)


def test_files_that_are_not_what_the_hub_states(home, hub):
    hub.stated_sha256["model.safetensors"] = "0" * 64
    fails(home, hub, WeightsError, r"model\.safetensors came with sha256 .* it was removed")
    hub.stated_sha256.clear()
    works(home)


def test_an_interrupted_download_goes_on(home, hub):
    hub.broken_after["model.safetensors"] = 600_000
    fails(home, hub, FailedError, "repeat the command")
    hub.broken_after.clear()
    hub.refused = None
    done = [line for line in hub.asked if line.startswith("GET") and line.endswith("config.json")]
    works(home)
    again = [line for line in hub.asked if line.startswith("GET") and line.endswith("config.json")]
    assert done == again  # what was whole is not fetched twice


def test_a_full_disk(home, hub, monkeypatch):
    import huggingface_hub.file_download as client

    def full(url, temp_file, **options):
        temp_file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(client, "http_get", full)
        fails(home, hub, FailedError, "no space left")
    works(home)


def test_a_full_disk_at_the_import_leaves_nothing_half_imported(home, hub, monkeypatch):
    fetch(home)

    def full(path, folder, config):
        (folder / "model.safetensors").write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Toy, "resolve", lambda self, reference: full)
        with pytest.raises(FailedError, match="no space left"):
            resolve(home)
    assert list(home.glob("weights/*toy-base*")) == list(home.glob("weights/.*toy*")) == []
    assert resolve(home).card.architecture == {"dim": 4}


def test_a_killed_process_leaves_a_folder_that_is_checked_again(home, hub):
    # Killed between lock and rename, and between two files: neither is taken for finished.
    place = home / "weights/hub/polymathic-ai--aion-toy"
    fetch(home)
    (place / FIRST).rename(place / f".{FIRST}.partial")
    with pytest.raises(WeightsError, match="is not downloaded"):
        resolve(home)
    (place / f".{FIRST}.partial" / "config.json").write_bytes(b"{}")
    works(home)


def test_a_folder_without_an_entry_in_the_lock_is_checked_and_accepted_anew(home, hub):
    place = fetch(home).folder
    (home / "weights.lock").unlink()
    (place / "model.safetensors").write_bytes(b"planted")
    with pytest.raises(WeightsError, match="is not downloaded"):
        resolve(home)
    with pytest.raises(WeightsError, match="not accepted"):
        fetch(home, accept=lambda sha256: False)
    place.mkdir()
    works(home)


# A lock that holds.


def test_a_branch_that_moved_is_refused_until_allowed(home, hub, cli):
    fetch(home)
    hub.commits[SECOND] = {**PUBLISHED, "config.json": b'{"dim": 8}'}
    hub.branches["main"] = SECOND
    done = cli("download", "toy", "base", "--accept")
    assert done.exit_code == 2
    assert f"main moved from {FIRST}" in done.stderr
    assert f"`fmb weights download toy hf:{REPO}@{FIRST}`" in done.stderr
    assert "--allow-moving-revision" in done.stderr
    assert resolve(home).card.architecture == {"dim": 4}
    assert cli("download", "toy", "base", "--accept", "--allow-moving-revision").exit_code == 0
    assert resolve(home).card.architecture == {"dim": 8}
    assert resolve(home, f"hf:{REPO}@{FIRST}").card.architecture == {"dim": 4}


def test_a_file_that_changed_after_the_download_is_named(home, hub):
    found = fetch(home)
    (found.folder / "codecs/image/config.json").write_bytes(b'{"levels": [7, 6]}')
    with pytest.raises(WeightsError, match=r"codecs/image/config\.json is not what .*lock"):
        resolve(home)


def test_a_file_that_was_put_beside_the_download_is_named(home, hub):
    (fetch(home).folder / "adapter.safetensors").write_bytes(save({"w": np.ones(1, np.float32)}))
    with pytest.raises(WeightsError, match=r"adapter\.safetensors is not what"):
        resolve(home)


def test_an_imported_file_that_changed_is_named(home, hub):
    fetch(home)
    save_file({"encoder": np.zeros(3, np.float32)}, resolve(home).folder / "model.safetensors")
    with pytest.raises(WeightsError, match=r"model\.safetensors changed since the import"):
        resolve(home)


def test_other_files_under_a_locked_commit_are_refused(home, hub):
    found = fetch(home)
    shutil.rmtree(found.folder)
    hub.commits[FIRST] = {**PUBLISHED, "config.json": b'{"dim": 5}'}
    with pytest.raises(WeightsError, match=r"config\.json is not what .*weights\.lock records"):
        fetch(home)
    assert folders(home) == []
    hub.commits[FIRST] = PUBLISHED
    works(home)


def test_a_large_file_is_digested_once_while_it_stays_and_always_to_verify(home, hub, monkeypatch):
    monkeypatch.setattr("fmb.digests._SMALL_BYTES", 1 << 20)
    found = fetch(home)
    large = found.folder / "model.safetensors"
    for path in [large, *resolve(home).folder.glob("*.safetensors")]:
        os.utime(path, (1e9, 1e9))  # long settled
    resolve(home)
    read = []
    monkeypatch.setattr(
        "fmb.digests.file_sha256",
        lambda path: read.append(path) or hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    resolve(home)
    assert found.folder / "config.json" in read
    assert large not in read
    # A change that hides behind the same size and time is found by `fmb weights verify`.
    content = bytearray(large.read_bytes())
    content[-1] ^= 1
    large.write_bytes(content)
    os.utime(large, (1e9, 1e9))
    resolve(home)
    with pytest.raises(WeightsError, match=r"model\.safetensors is not what"):
        resolve(home, fresh=True)


def test_the_list_tells_the_state_of_each(home, hub, cli, tmp_path):
    def listed():
        rows = json.loads(cli("list", "--json").stdout)
        return {row["weights"]: row["state"] for row in rows}

    assert listed() == {"random": "drawn", "base": "not downloaded"}
    found = fetch(home)
    resolve(home)
    assert listed() == {"random": "drawn", "base": "verified"}
    hub.commits[SECOND] = {**PUBLISHED, "config.json": b'{"dim": 8}'}
    fetch(home, f"hf:{REPO}@{SECOND}")
    resolve(home, f"hf:{REPO}@{SECOND}")
    own = tmp_path / "upstream"
    shutil.copytree(found.folder, own)
    (own / "config.json").write_bytes(b'{"dim": 9}')
    mine = str(resolve(home, str(own)).folder)
    assert listed() == {
        "random": "drawn",
        "base": "verified",
        f"hf:{REPO}@{SECOND}": "verified",
        mine: "unverified",
    }
    assert cli("verify", "toy", str(own), "--accept").exit_code == 0
    (found.folder / "config.json").write_bytes(b"{}")
    assert listed()[mine] == "verified"
    assert listed()["base"] == "damaged"


def test_without_the_client_the_line_says_what_to_install(home, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(WeightsError, match=r"pip install 'fmb-core\[hub\]'"):
        fetch(home)


# Converting, on the command line.


def test_a_checkpoint_is_converted_by_the_one_model_that_can(cli, tmp_path):
    path = checkpoint(tmp_path / "toy.ckpt")
    done = cli("convert", str(path), str(tmp_path / "out"), "--set", "dim=8")
    assert done.exit_code == 0, done.stderr
    assert load_file(tmp_path / "out" / "model.safetensors")["w"].tolist() == [1, 1, 1]
    again = cli("convert", str(path), str(tmp_path / "out"), "--model", "toy")
    assert again.exit_code == 2
    assert "is in use" in again.stderr


def test_where_no_one_model_is_meant_the_line_names_those_that_can(cli, tmp_path, monkeypatch):
    path = checkpoint(tmp_path / "toy.ckpt")
    registry = Registry()
    for name in ("toy", "tin", "tan"):
        spec = replace(SPEC, name=name, converter="" if name == "tan" else SPEC.converter)
        registry.add(Toy(spec, "toys", "fmb-toys", "1.0"))
    monkeypatch.setattr("fmb.plugins.load_plugins", lambda: Plugins(registry, ()))
    done = cli("convert", str(path), str(tmp_path / "out"))
    assert done.exit_code == 2
    assert "models that convert: tin, toy; name one with --model" in done.stderr
    done = cli("convert", str(path), str(tmp_path / "out"), "--model", "tan")
    assert done.exit_code == 2
    assert "tan has no converter" in done.stderr
    done = cli("convert", str(tmp_path / "absent.ckpt"), str(tmp_path / "out"), "--model", "toy")
    assert done.exit_code == 2
    assert "no such file" in done.stderr
    assert not (tmp_path / "out").exists()
