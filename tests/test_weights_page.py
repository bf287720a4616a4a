"""The commands of docs/weights.md work, and survive kill -9, against a stand-in of the hub."""

import re
import shlex
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from safetensors.torch import save

from fmb.testing.hub_stand_in import HubStandIn
from fmb.weights.card import Card
from fmb_astropt.config import AstroPTConfig
from fmb_astropt.network import draw_network
from fmb_astropt.presets import random_card
from fmb_astropt.recipes import unpack_card

PAGE = (Path(__file__).parents[1] / "docs" / "weights.md").read_text()
COMMIT = "c" * 40


@pytest.fixture(autouse=True)
def online(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def weights() -> dict[str, bytes]:
    """An AstroPT folder as somebody would publish it."""
    drawn = random_card(AstroPTConfig(), 1)
    network = draw_network(unpack_card(drawn, "card")[0], 1)
    trained = Card(**{**drawn.model_dump(), "random_seed": None, "name": "euclid"})
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    return {"card.json": trained.model_dump_json().encode(), "model.safetensors": save(tensors)}


def commands() -> list[list[str]]:
    shown = re.findall(r"^\$ fmb (.*)$", PAGE, re.M)
    assert len(shown) == len(re.findall(r"^\$", PAGE, re.M))
    return [shlex.split(line) for line in shown]


def test_the_commands_of_the_page_run_in_their_order(fmb, home, survey, weights, monkeypatch):
    monkeypatch.chdir(survey.parent)
    mine = survey.parent / "my-weights"
    mine.mkdir()
    for name, content in weights.items():
        (mine / name).write_bytes(content)
    done = []
    with HubStandIn("your-group/astropt-euclid", {COMMIT: weights}, {"main": COMMIT}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        monkeypatch.setenv("HF_HOME", str(home / "hf"))
        for words in commands():
            result = fmb(*words)
            asked_for_a_person = "download" in words and "--accept" not in words
            assert result.exit_code == (2 if asked_for_a_person else 0), result.output
            if words[0] == "run":
                assert "unverified" not in result.stderr
            done.append(words[:2])
            if "--accept" in words and "download" in words:
                hub.refused = (500, "")  # what follows asks nothing of the hub
    assert ["run", "--model"] in done
    assert ["weights", "verify"] in done
    listed = fmb("weights", "list").stdout
    assert f"hf:your-group/astropt-euclid@{COMMIT} verified" in " ".join(listed.split())


def test_a_download_killed_in_mid_file_is_not_there_and_a_repeat_works(
    fmb, home, weights, monkeypatch
):
    repo = "your-group/astropt-euclid"
    words = ["weights", "download", "astropt", f"hf:{repo}", "--accept"]
    with HubStandIn(repo, {COMMIT: weights}, {"main": COMMIT}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        monkeypatch.setenv("HF_HOME", str(home / "hf"))
        hub.broken_after["model.safetensors"] = len(weights["model.safetensors"]) // 2
        hub.stalled = threading.Event()
        script = f"from fmb.cli import main; main({words!r})"
        process = subprocess.Popen([sys.executable, "-c", script])
        assert hub.stalled.wait(60)
        process.kill()
        process.wait()
        hub.released.set()
        place = home / "weights" / "hub" / repo.replace("/", "--")
        assert [p.name for p in place.iterdir()] == [f".{COMMIT}.partial"]
        assert not (home / "weights.lock").exists()
        assert fmb("weights", "verify", "astropt", f"hf:{repo}").exit_code == 2

        hub.broken_after, hub.refused = {}, None
        result = fmb(*words)
        assert result.exit_code == 0, result.output
        assert [p.name for p in place.iterdir()] == [COMMIT]
