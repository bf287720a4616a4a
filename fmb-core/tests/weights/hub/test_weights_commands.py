"""`fmb weights list` and `fmb weights convert`."""

import json
import shutil

from safetensors.numpy import load_file

from fmb.contract.model import ModelSpec
from fmb.plugins.loading import Plugins
from fmb.plugins.registry import Registry

SECOND = "b" * 40
REPO = "polymathic-ai/aion-toy"


def test_the_list_tells_the_state_of_each(place, hub, cli, tmp_path):
    def listed():
        rows = json.loads(cli("list", "--json").stdout)
        return {row["weights"]: row["state"] for row in rows}

    assert listed() == {"random": "drawn", "base": "not downloaded"}
    found = place.fetch()
    place.resolve()
    assert listed() == {"random": "drawn", "base": "verified"}
    hub.commits[SECOND] = {**place.published, "config.json": b'{"dim": 8}'}
    place.fetch(f"hf:{REPO}@{SECOND}")
    place.resolve(f"hf:{REPO}@{SECOND}")
    own = tmp_path / "upstream"
    shutil.copytree(found.folder, own)
    (own / "config.json").write_bytes(b'{"dim": 9}')
    mine = str(place.resolve(str(own)).folder)
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


def test_a_checkpoint_is_converted_by_the_one_model_that_can(cli, place, tmp_path):
    path = place.checkpoint(tmp_path / "toy.ckpt")
    done = cli("convert", str(path), str(tmp_path / "out"), "--set", "dim=8")
    assert done.exit_code == 0, done.stderr
    assert load_file(tmp_path / "out" / "model.safetensors")["w"].tolist() == [1, 1, 1]
    again = cli("convert", str(path), str(tmp_path / "out"), "--model", "toy")
    assert again.exit_code == 2
    assert "is in use" in again.stderr


def test_where_no_one_model_is_meant_the_line_names_those_that_can(
    cli, place, tmp_path, monkeypatch
):
    path = place.checkpoint(tmp_path / "toy.ckpt")
    registry = Registry()
    for name in ("toy", "tin", "tan"):
        converter = "" if name == "tan" else place.spec.converter
        spec = ModelSpec(**{**vars(place.spec), "name": name, "converter": converter})
        registry.add(place.toy(spec, "toys", "fmb-toys", "1.0"))
    monkeypatch.setattr("fmb.plugins.loading.load_plugins", lambda: Plugins(registry, ()))
    done = cli("convert", str(path), str(tmp_path / "out"))
    assert done.exit_code == 2
    assert "models that convert: tin, toy; name one with --model" in done.stderr
    done = cli("convert", str(path), str(tmp_path / "out"), "--model", "tan")
    assert done.exit_code == 2
    assert "tan has no converter" in done.stderr
    done = cli("convert", str(tmp_path / "absent.ckpt"), str(tmp_path / "out"), "--model", "toy")
    assert done.exit_code == 2
    assert "No such file" in done.stderr
    assert not (tmp_path / "out").exists()
