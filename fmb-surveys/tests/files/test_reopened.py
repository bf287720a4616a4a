"""A dataset that is opened again, in this process or another, and what tells it from others."""

import os
import pickle
import warnings

import h5py
import numpy as np

from fmb_surveys.files.identity import fingerprint

FIELDS = ("flux", "ivar", "mask", "wavelength_aa", "band_valid")


def everything(dataset):
    return dataset.read(np.arange(len(dataset)))


def test_a_dataset_pickles_without_open_files_and_reads_again(files):
    dataset = files.open()
    before = everything(dataset)
    after = everything(pickle.loads(pickle.dumps(dataset)))
    for name, data in before.inputs.items():
        for field in FIELDS:
            assert np.array_equal(
                getattr(data, field, None), getattr(after.inputs[name], field, None)
            )


def test_a_forked_process_opens_the_files_of_its_own(files, monkeypatch):
    """An HDF5 handle that two processes share reads from where the other one left it."""
    dataset = files.open()
    everything(dataset)
    opened, honest = [], h5py.File
    monkeypatch.setattr(
        h5py, "File", lambda *args, **kw: opened.append(args) or honest(*args, **kw)
    )
    everything(dataset)
    assert opened == []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
        child = os.fork()
    if not child:
        code = 99
        try:
            same = np.array_equal(everything(dataset).inputs["cam"].flux, files.arrays["image"])
            code = len(opened) if same else 98
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2  # images and spectra


def test_identity_is_mapping_and_content_not_place(files, tmp_path):
    first = files.open().identity
    moved = tmp_path / "elsewhere"
    files.folder.rename(moved)
    files.folder = moved
    assert files.reopen().identity == first
    files.cam["unit"] = "nJy"
    changed = files.open().identity
    assert changed != first
    files.cam["unit"] = "nmgy"
    files.arrays["image"][0, 0, 0, 0] += 1
    assert files.open().identity != first


def test_a_large_file_counts_by_size_time_and_samples(tmp_path):
    path = tmp_path / "large.h5"
    path.touch()
    os.truncate(path, 2 * 2**30 + 1)  # a hole, which takes no room on the disk
    os.utime(path, (7, 7))
    first = fingerprint(path)
    assert fingerprint(path) == first
    os.utime(path, (1, 1))
    assert fingerprint(path) != first
    with path.open("r+b") as stream:
        stream.write(b"x")
    os.utime(path, (7, 7))
    assert fingerprint(path) != first
