"""Links and storage outside of a survey's file are not followed."""

import re

import h5py
import numpy as np
import pytest

from fmb import FmbError


def refuse(files, pattern: str) -> None:
    with pytest.raises(FmbError) as caught:
        files.reopen().read(np.arange(6))
    message = str(caught.value)
    assert re.search(pattern, message), message
    assert "\n" not in message
    assert caught.value.exit_code == 2


@pytest.fixture
def secret(files):
    """Another file, which a survey must not be able to show."""
    path = files.folder.parent / "secret.h5"
    with h5py.File(path, "w") as file:
        file["flux"] = np.full((6, 40), 42.0)
    path.with_suffix(".raw").write_bytes(np.full((6, 40), 42.0, dtype="f4").tobytes())
    return path


def replace_flux(files, make):
    files.write()
    with h5py.File(files.folder / "data.h5", "r+") as file:
        del file["flux"]
        make(file)


def external_link(file, secret):
    file["flux"] = h5py.ExternalLink(str(secret), "/flux")


def soft_link_out(file, secret):
    file["out"] = h5py.ExternalLink(str(secret), "/")
    file["flux"] = h5py.SoftLink("/out/flux")


def external_storage(file, secret):
    file.create_dataset(
        "flux", (6, 40), "f4", external=[(str(secret.with_suffix(".raw")), 0, 6 * 40 * 4)]
    )


def virtual(file, secret):
    layout = h5py.VirtualLayout((6, 40), "f8")
    layout[:] = h5py.VirtualSource(str(secret), "flux", (6, 40))
    file.create_virtual_dataset("flux", layout)


def circular(file, secret):
    file["flux"] = h5py.SoftLink("/flux2")
    file["flux2"] = h5py.SoftLink("/flux")


@pytest.mark.parametrize(
    ("make", "pattern"),
    [
        (external_link, r"'flux' is a link into another file"),
        (soft_link_out, r"'flux' is a link into another file"),
        (external_storage, r"'flux' keeps its data in other files"),
        (virtual, r"'flux' keeps its data in other files"),
        (circular, r"'flux' goes through more than 8 links"),
    ],
)
def test_nothing_outside_the_file_is_read(files, secret, make, pattern):
    replace_flux(files, lambda file: make(file, secret))
    refuse(files, pattern)


def test_a_soft_link_within_the_file_is_followed(files):
    def rename(file):
        file["real/flux"] = files.arrays["flux"]
        file["flux"] = h5py.SoftLink("/real/flux")

    replace_flux(files, rename)
    batch = files.reopen().read(np.arange(6))
    assert np.array_equal(batch.inputs["spec"].flux, files.arrays["flux"])
