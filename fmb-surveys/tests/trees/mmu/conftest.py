"""Makes trees of the Multimodal Universe."""

import h5py
import pytest
from mmu_trees import PARTS


@pytest.fixture
def tree(tmp_path):
    """Writes a tree and gives its folder and the content of its files in the order of rows."""

    def tree(kind, name="dr10_south_21"):
        parts = {folder: kind(n) for folder, n in PARTS.items()}
        for folder, arrays in parts.items():
            path = tmp_path / "tree" / name / folder / "001-of-001.hdf5"
            path.parent.mkdir(parents=True)
            with h5py.File(path, "w") as file:
                for key, values in arrays.items():
                    packed = {"compression": "gzip", "chunks": True}
                    file.create_dataset(key, data=values, **packed)
        return tmp_path / "tree", [parts["healpix=94"], parts["healpix=1107"]]

    return tree
