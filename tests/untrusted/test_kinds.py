"""Weights of strangers: each kind of bad ones is refused in one line, and nothing else happens."""

import gzip
import math
import os
import re
import time
import zipfile

import pytest
import torch
from safetensors.torch import save

ESC = "\x1b[31m"
NAME = "is no name: up to 200"
INSIDE = "is no safetensors file in the folder"
CONTROL = "a text holds control characters"
BOUND = "less than or equal to"
OLD = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}."
"""How torch's old format begins: number, version, machine."""


def first(table):
    """The entry of a header that comes first."""
    return table[next(name for name in table if name != "__metadata__")]


def tensor(value):
    """The first tensor of the sound network, which is 32 x 1024, filled with something."""
    return torch.full((32, 1024), value, dtype=torch.float64)


CARDS = {
    "name with a path": (lambda s: s.card(name="../../x"), f"name: '../../x' {NAME}"),
    "name with a slash": (lambda s: s.card(name="a/b"), f"name: 'a/b' {NAME}"),
    "name of nothing": (lambda s: s.card(name=""), f"name: '' {NAME}"),
    "name of 300 letters": (lambda s: s.card(name="x" * 300), NAME),
    "name with an escape": (lambda s: s.card(name=ESC), CONTROL),
    "name with a line break": (lambda s: s.card(name="x\n"), rf"name: 'x\n' {NAME}"),
    "name turned around": (lambda s: s.card(name="a\u202eb"), NAME),
    "model with a path": (lambda s: s.card(model="../m"), f"model: '../m' {NAME}"),
    "embedder with a path": (lambda s: s.card(embedder="../m"), f"embedder: '../m' {NAME}"),
    "file outside": (lambda s: s.card(files=["../model.safetensors"]), INSIDE),
    "file at the root": (lambda s: s.card(files=["/model.safetensors"]), INSIDE),
    "file twice": (lambda s: s.card(files=["a.safetensors"] * 2), "at most 100 files, each once"),
    "no file of tensors": (lambda s: s.card(files=[]), "files: weights that are not drawn"),
    "another file of tensors": (
        lambda s: s.card(files=["b.safetensors"]) and s.write(save(s.tensors), "b.safetensors"),
        "files: astropt loads model.safetensors, which is not listed",
    ),
    "a modality twice": (
        lambda s: s.card({"modalities": 2 * s.sound["architecture"]["modalities"]}),
        "architecture.modalities names one modality twice",
    ),
    "escape in the summary": (lambda s: s.card(summary=ESC), CONTROL),
    "escape in a key": (lambda s: s.card({ESC: 1}), CONTROL),
    "half a character": (lambda s: s.edited('"mine"', '"\\ud800"'), CONTROL),
    "2 MiB": (lambda s: s.card(summary="x" * (2 << 20)), "larger than 1,048,576 bytes"),
    "100,000 brackets": (lambda s: s.write(b"[" * 100_000, "card.json"), "deeper than 32 levels"),
    "40 levels": (
        lambda s: s.edited('"training": null', '"training": ' + '{"a":' * 40 + "1" + "}" * 40),
        "deeper than 32 levels",
    ),
    "key twice": (lambda s: s.edited("{", '{"name": "other", '), "'name' stands there twice"),
    "NaN": (lambda s: s.card({"n_layer": math.nan}), "NaN is no number that JSON has"),
    "Infinity": (lambda s: s.card({"n_layer": math.inf}), "Infinity is no number"),
    "1e999": (lambda s: s.edited('"n_layer": 1', '"n_layer": 1e999'), "beyond the range"),
    "10^30": (lambda s: s.card({"n_layer": 10**30}), "more than 64 bits"),
    "no UTF-8": (lambda s: s.write(b"{\xff}", "card.json"), "card.json: not JSON"),
    "a list": (lambda s: s.write(b"[1]", "card.json"), "not a table of names and values"),
    "unknown key": (lambda s: s.card(colour="red"), "not a weights card: colour"),
    "unknown size": (lambda s: s.card({"depth": 3}), "unknown key architecture.depth"),
    "text for a size": (lambda s: s.card({"n_layer": "x" * 9000}), "xxx...: input should"),
    "no heads": (lambda s: s.card({"n_head": 0}), "greater than 0"),
    "true layers": (lambda s: s.card({"n_layer": True}), "expected a number"),
    "10^7 layers": (lambda s: s.card({"n_layer": 10**7}), f"{BOUND} 1000"),
    "10^7 drawn layers": (lambda s: s.card({"n_layer": 10**7}, random_seed=1), f"{BOUND} 1000"),
    "2^20 wide": (lambda s: s.card({"n_embd": 2**20}, random_seed=1), f"{BOUND} 65536"),
    "10^12 tokens": (lambda s: s.card({"block_size": 10**12}), f"{BOUND} 10000000"),
    "10^11 drawn numbers": (
        lambda s: s.card({"n_embd": 2**16, "n_layer": 4}, random_seed=1),
        "at most 10,000,000,000 are drawn",
    ),
    "wider than its tensors": (lambda s: s.card({"n_embd": 2**16}), "do not fit the network"),
    "deeper than its tensors": (lambda s: s.card({"n_layer": 100}), "missing: transformer.h.1."),
    "link to passwd": (lambda s: s.linked("card.json", "/etc/passwd"), "card.json: not JSON"),
    "link to a device": (lambda s: s.linked("card.json", "/dev/zero"), "not a regular file"),
    "a pipe": (lambda s: s.pipe("card.json"), "not a regular file"),
    "a false origin": (
        lambda s: s.write(b'{"made": 3}', "origin.json"),
        "changed since the import",
    ),
    "an origin that is none": (lambda s: s.write(b"[]", "origin.json"), "not a table"),
}  # fmt: skip
WHOLE = "not a whole safetensors file: "
TENSORS = {
    "header beyond the file": (
        lambda s: s.write((1 << 60).to_bytes(8, "little") + b"{}"), f"{WHOLE}a header of 1,152,9",
    ),
    "header of 20 MB": (
        lambda s: s.write((20 << 20).to_bytes(8, "little") + b" " * (20 << 20) + b"{}"),
        "at most 16,777,216",
    ),
    "header of no JSON": (lambda s: s.header(lambda t: b"{nonsense"), "header: not JSON"),
    "name twice": (
        lambda s: s.header(lambda t: b'{"a": 1, "a": 1}'), "header: 'a' stands there twice",
    ),
    "name with an escape": (
        lambda s: s.header(lambda t: t.update({ESC: first(t)})), f"header: {CONTROL}",
    ),
    "overlap": (
        lambda s: s.header(lambda t: t.update(more=first(t))), "overlaps another tensor",
    ),
    "gap": (
        lambda s: s.header(lambda t: t.pop(min(t, key=lambda n: t[n]["data_offsets"][0]))),
        "comes after a gap",
    ),
    "unknown dtype": (lambda s: s.header(lambda t: first(t).update(dtype="F7")), "dtype 'F7'"),
    "other shape": (lambda s: s.header(lambda t: first(t).update(shape=[1])), "its place has"),
    "negative shape": (lambda s: s.header(lambda t: first(t).update(shape=[-1])), "from 0 up"),
    "petabytes": (
        lambda s: s.header(lambda t: first(t).update(shape=[2**50])), "(1125899906842624,) needs",
    ),
    "21,000 tensors": (
        lambda s: s.header(lambda t: t.update({str(n): first(t) for n in range(21_000)})),
        "at most 20,000",
    ),
    "empty": (lambda s: s.write(b""), f"{WHOLE}this is an empty file"),
    "cut short": (
        lambda s: s.write((s.folder / "model.safetensors").read_bytes()[:-9]), "has room for",
    ),
    "trailing bytes": (lambda s: s.header(dict, b"more"), "the file has room for"),
    "NaN": (lambda s: s.saved(first=tensor(math.nan)), " tensors hold NaN or infinity, first "),
    "infinite": (lambda s: s.saved(first=tensor(math.inf)), "1 of 12 tensors hold NaN"),
    "beyond float32": (lambda s: s.saved(first=tensor(1e300)), "1 of 12 tensors hold NaN"),
    "whole numbers": (lambda s: s.saved(first=tensor(3).to(torch.int8)), "other numbers: "),
    "link to passwd": (lambda s: s.linked("model.safetensors", "/etc/passwd"), WHOLE),
    "link to a device": (lambda s: s.linked("model.safetensors", "/dev/zero"), "no regular file"),
    "link to nowhere": (lambda s: s.linked("model.safetensors", "nowhere"), "is missing, or no"),
    "a pipe": (lambda s: s.pipe("model.safetensors"), "is missing, or no regular file"),
    "LFS pointer": (
        lambda s: s.write(b"version https://git-lfs.github.com/spec/v1\noid"), "Git LFS pointer",
    ),
    "web page": (lambda s: s.write(b"<!DOCTYPE html><html>"), "a web page: the download"),
    "a zip file": (lambda s: s.write(b"PK\x03\x04" + bytes(99)), f"{WHOLE}this is a zip file"),
}  # fmt: skip
ZIP = "a zip file, but not one that torch.save wrote: "
PICKLES = {
    "os.mkdir": (
        lambda s: s.pickled(lambda c: c.update(more=s.payload)),
        f"not loaded: it asks for {os.mkdir.__module__}.mkdir",
    ),
    "os.mkdir in the old format": (
        lambda s: s.old({"model": s.payload}), "mkdir",
    ),
    "cut short": (lambda s: s.bytes(s.pickled().read_bytes()[:-300]), "c.pt: cut short"),
    "old format cut short": (
        lambda s: s.old({"model": s.tensors}, cut=99), "cut short or damaged",
    ),
    "zip bomb": (
        lambda s: s.zipped(
            lambda m: m.update({"c/data/0": bytes(1 << 24)}), compression=zipfile.ZIP_DEFLATED
        ),
        f"{ZIP}members of it are compressed",
    ),
    "path out of the zip": (
        lambda s: s.zipped(lambda m: {"../../canary": b"x"}), f"{ZIP}a member has a place outside",
    ),
    "other folder in the zip": (lambda s: s.zipped(lambda m: {"d/x": b"x"}), f"{ZIP}it has no"),
    "member twice": (lambda s: s.twice(), f"{ZIP}a member stands there twice"),
    "TorchScript": (
        lambda s: s.zipped(lambda m: {"c/constants.pkl": b"x"}), f"{ZIP}it is a TorchScript",
    ),
    "zip of pictures": (
        lambda s: s.zipped(lambda m: m.clear() or {"a/cat.jpg": b""}), f"{ZIP}it has no data.pkl",
    ),
    "tar": (lambda s: s.tar(), "not a torch checkpoint: this is a tar file"),
    "gzip": (lambda s: s.bytes(gzip.compress(b"x")), "this is a gzip file: unpack it first"),
    "HDF5": (lambda s: s.bytes(b"\x89HDF\r\n\x1a\n"), "this is an HDF5 file"),
    "empty": (lambda s: s.bytes(b""), "this is an empty file"),
    "text": (lambda s: s.bytes(b"hello"), "c.pt: not a torch checkpoint"),
    "no tensors": (lambda s: s.pickled(lambda c: c.pop("model")), "it has no 'model'"),
    "text for a tensor": (
        lambda s: s.pickled(lambda c: c["model"].update(x="y")), "x is no tensor but str",
    ),
    "sparse": (
        lambda s: s.pickled(lambda c: c["model"].update(x=torch.eye(2).to_sparse())),
        "x is sparse, quantised or without numbers",
    ),
    "without numbers": (
        lambda s: s.pickled(lambda c: c["model"].update(x=torch.ones(2, device="meta"))),
        "without numbers",
    ),
    "one number for 10^12": (
        lambda s: s.pickled(lambda c: c["model"].update(x=torch.ones(1).expand(10**12))),
        "declares 1,000,000,000,000 numbers, the file holds 1",
    ),
    "tuples of tuples": (
        lambda s: s.zipped(lambda m: m.update({"c/data.pkl": s.bomb()})), "tuples nested deeper",
    ),
    "tuples before torch 1.6": (
        lambda s: s.bytes(OLD + s.bomb()), "tuples nested deeper than 8 levels",
    ),
    "name with an escape": (
        lambda s: s.pickled(lambda c: c["model"].update({ESC: torch.ones(1)})),
        "is no name of a tensor",
    ),
    "same name twice": (
        lambda s: s.pickled(
            lambda c: c["model"].update({"_orig_mod.x": torch.ones(1), "x": torch.ones(1)})
        ),
        "two tensors are called x",
    ),
    "10^7 layers": (
        lambda s: s.pickled(lambda c: c["model_args"].update(n_layer=10**7)), f"{BOUND} 1000",
    ),
    "file with an escape": (lambda s: s.bytes(b"hello", f"{ESC}.pt"), r"\x1b[31m.pt: not a torch"),
    "a pipe": (
        lambda s: os.mkfifo(s.place / "c.pt") or s.place / "c.pt", "c.pt is not a weights folder",
    ),
}  # fmt: skip
OUTSIDE = "is no safetensors file in the folder of the index"
SHARDS = {
    "missing": (
        lambda s: s.shards(lambda p: p.update(b="three.safetensors")), "1 of 2 shards missing: t",
    ),
    "outside": (lambda s: s.shards(lambda p: p.update(b="../b.safetensors")), OUTSIDE),
    "absolute": (lambda s: s.shards(lambda p: p.update(b="/b.safetensors")), OUTSIDE),
    "no file": (lambda s: s.shards(lambda p: p.update(b=3)), OUTSIDE),
    "a pickle": (lambda s: s.shards(lambda p: p.update(b="b.pt")), OUTSIDE),
    "tensor in two": (lambda s: s.shards(own=("a", "a")), "two.safetensors: tensor a is in an"),
    "tensor in none": (lambda s: s.shards(lambda p: p.update(c=p["a"])), "c is not in it, as the"),
    "tensor unnamed": (lambda s: s.shards(own=("a", "c")), "tensor c is not in the index"),
    "no index": (lambda s: s.shards(lambda p: [{"x": 1}]), "it has no weight_map"),
    "another model's": (lambda s: s.shards(), "not AstroCLIP"),
}  # fmt: skip
CONVERTED = {
    "tar": (lambda s: s.tar(), "this is a tar file"),
    "old format": (lambda s: s.old({"model": s.tensors}), "a checkpoint as torch wrote before 1.6"),
    "cut short": (lambda s: s.bytes(s.pickled().read_bytes()[:-300]), "or not a whole one"),
    "member twice": (lambda s: s.twice(), "a zip file, but not one that torch.save wrote"),
    "os.mkdir and no tensors": (
        lambda s: s.pickled(lambda c: c.update(model=s.payload)), "it holds no state dict",
    ),
    "another model's": (lambda s: s.pickled(), "not AstroCLIP"),
    "a pipe": (lambda s: os.mkfifo(s.place / "c.pt") or s.place / "c.pt", "not a regular file"),
}  # fmt: skip
RUN = ("embed", "--model", "astropt", "--weights")
GROUPS = {
    "card": (CARDS, RUN),
    "tensors": (TENSORS, RUN),
    "checkpoint": (PICKLES, RUN),
    "shards": (SHARDS, ("embed", "--model", "astroclip", "--weights")),
    "converted": (CONVERTED, ("weights", "convert", "--model", "astroclip")),
}
KINDS = {
    f"{group}: {name}": (*kind, command)
    for group, (kinds, command) in GROUPS.items()
    for name, kind in kinds.items()
}


@pytest.mark.usefixtures("no_longer_than_a_minute")
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_refused_in_one_line_and_leaves_nothing(
    kind, strange, fmb, home, make_survey, tmp_path, capfd
):
    make, told, command = KINDS[kind]
    reference = make(strange)
    last = ("--data", make_survey(tmp_path / "tiny", n=4))
    before, start = strange.around(home), time.process_time()
    result = fmb(*command, reference, *(last if command[0] == "embed" else ["out"]))
    assert time.process_time() - start < 10  # seconds of processor time, most of it imports
    lines = result.stderr.splitlines()
    assert (result.exit_code, len(lines)) == (2, 1), result.stderr
    assert told in lines[0], lines[0]
    assert len(lines[0]) < 1000
    assert lines[0].isprintable()
    assert capfd.readouterr().err == ""  # nothing of torch's own, which writes past Python
    assert strange.around(home) == before
    assert not (home / "embeddings").exists()
    names = {part for path in home.rglob("*") for part in path.relative_to(home).parts}
    assert not [name for name in names if not re.fullmatch(r"[A-Za-z0-9._-]+", name)]


def test_the_folder_that_they_are_made_of_is_taken(strange, fmb, make_survey, tmp_path):
    survey = make_survey(tmp_path / "tiny", n=4)
    words = ("--view", "image", "--data", survey)
    for reference in (strange.folder, strange.write(b"{}", "notes.json")):
        result = fmb("embed", "--model", "astropt", "--weights", reference, *words)
        assert result.exit_code == 0, result.output
