"""Published weights are downloaded once, after somebody agreed, and used without network."""

import hashlib
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import load_file, save, save_file

from fmb.messages.errors import WeightsError
from fmb.weights.lock import Lock

FIRST = "a" * 40
REPO = "polymathic-ai/aion-toy"


def test_a_repository_is_downloaded_locked_and_used_without_network(place, hub, cli):
    done = cli("download", "toy", "base", "--accept")
    assert done.exit_code == 0, done.stderr
    assert f"hf:{REPO} at commit {FIRST}" in done.stderr
    for name in place.wanted:
        digest = hashlib.sha256(place.published[name]).hexdigest()
        assert f"{len(place.published[name]):>15,} bytes  {name}" in done.stderr
        assert f"sha256 {digest}  {name}" in done.stderr
    assert "README" not in done.stderr
    assert f"base: verified, hf:{REPO}@{FIRST}" in " ".join(done.stdout.split())
    digests = {n: hashlib.sha256(place.published[n]).hexdigest() for n in place.wanted}
    lock = json.loads((place.home / "weights.lock").read_text())
    assert lock["hub"][REPO] == {
        "revisions": {"main": FIRST},
        "commits": {FIRST: digests},
    }
    assert place.folders() == [FIRST]
    assert list(place.home.glob("weights/hub/*/.*")) == []

    hub.refused = (500, "")  # from here on nothing is asked of it
    asked = list(hub.asked)
    for reference in ("base", f"hf:{REPO}", f"hf:{REPO}@main", f"hf:{REPO}@{FIRST}"):
        found = place.resolve(reference)
        assert load_file(found.folder / "model.safetensors").keys() == {"encoder", "codec"}
        assert found.card.architecture == {"dim": 4}
        assert Lock(place.home).state(found) == "verified"
    assert cli("download", "toy", f"hf:{REPO}@{FIRST}").exit_code == 0
    assert hub.asked == asked


def test_a_repository_of_fmb_weights_is_used_as_it_is(place, hub):
    tensors = save({"w": np.ones(3, np.float32)})
    hub.commits[FIRST] = {"card.json": place.card().encode(), "model.safetensors": tensors}
    place.fetch()
    assert place.resolve().folder == place.home / "weights/hub/polymathic-ai--aion-toy" / FIRST


def test_a_repository_with_only_a_checkpoint_is_converted(place, hub, cli, tmp_path):
    content = place.checkpoint(tmp_path / "toy.ckpt").read_bytes()
    hub.commits[FIRST] = {"README.md": b"", "toy.ckpt": content}
    done = cli("download", "toy", "base", "--accept")
    assert done.exit_code == 0, done.stderr
    found = place.resolve()
    assert found.card.source == "toy.ckpt"
    assert load_file(found.folder / "model.safetensors")["w"].tolist() == [1, 1, 1]


def test_a_workspace_that_was_moved_stays_locked(place, hub, tmp_path):
    place.fetch()
    place.resolve()
    own = tmp_path / "home" / "weights" / "own"
    own.mkdir()
    save_file({"w": np.ones(2, np.float32)}, own / "model.safetensors")
    (own / "card.json").write_text(place.card())
    Lock(place.home).accept(place.resolve(str(own)))
    place.home.rename(tmp_path / "moved")
    moved = type(place)(tmp_path / "moved")
    assert Lock(moved.home).state(moved.resolve()) == "verified"
    own = moved.resolve(str(moved.home / "weights" / "own"))
    assert Lock(moved.home).state(own) == "verified"


def test_weights_are_verified_as_the_run_imports_them(cli, place, hub):
    place.fetch()
    folder = str(place.resolve().folder)
    for settings in ((), ("--set", "dim=8")):
        done = cli("verify", "toy", "base", *settings)
        assert done.exit_code == 0
        assert (folder in done.stdout) == (not settings)
    done = cli("verify", "toy", "base", "--set", "dmi=8")
    assert done.exit_code == 2
    assert "did you mean 'dim'" in done.stderr


def test_without_a_person_to_ask_nothing_is_downloaded(place, hub, cli):
    done = cli("download", "toy", "base")
    assert done.exit_code == 2
    assert "repeat with --accept" in done.stderr
    assert not any("GET" in line and "/resolve/" in line for line in hub.asked)
    assert not (place.home / "weights.lock").exists()


def test_what_was_accepted_before_needs_nobody(place, hub, cli):
    shutil.rmtree(place.fetch().folder)
    assert cli("download", "toy", "base").exit_code == 0


def test_a_person_is_shown_the_digests_and_asked(place, hub, cli, monkeypatch):
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr("fmb.cli.download_person.sys", SimpleNamespace(stdin=terminal))
    done = cli("download", "toy", "base", input="n\n")
    assert done.exit_code == 2
    assert done.stderr.index("sha256") < done.stderr.index("use these files?")
    assert place.folders() == []
    assert cli("download", "toy", "base", input="y\n").exit_code == 0
    assert place.folders() == [FIRST]


def test_a_no_leaves_nothing_in_place_and_a_later_yes_downloads_nothing_twice(place, hub):
    with pytest.raises(WeightsError, match="not accepted"):
        place.fetch(accept=lambda sha256: False)
    assert place.folders() == []
    assert not (place.home / "weights.lock").exists()
    with pytest.raises(WeightsError, match="is not downloaded"):
        place.resolve()
    before = len([line for line in hub.asked if line.startswith("GET") and "resolve" in line])
    place.fetch()
    after = len([line for line in hub.asked if line.startswith("GET") and "resolve" in line])
    assert before == after == len(place.wanted)


@pytest.mark.parametrize("reference", [f"hf:{REPO}", f"hf:{REPO}@main", f"hf:{REPO}@{FIRST}"])
def test_a_run_downloads_nothing_by_itself(place, hub, reference):
    with pytest.raises(WeightsError, match="run `fmb weights download toy hf:") as raised:
        place.resolve(reference)
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
