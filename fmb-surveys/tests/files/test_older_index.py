"""A row index that is older than its catalogue: what it does not know is counted."""

import pandas as pd
from click.testing import CliRunner

from fmb.cli import main


def index(files, make_h5, known):
    """Put each cutout into a file of its own, and the objects `known` into the index."""
    names = []
    for row, ident in enumerate(files.arrays["id"]):
        make_h5(files.folder / f"{ident}.h5", {"image": files.arrays["image"][row]})
        names.append(f"{ident}.h5" if row else None)
    table = pd.DataFrame({"object_id": files.arrays["id"], "cam": names})
    table.iloc[:known].to_parquet(files.folder / "rows.parquet")
    files.toml["inputs"]["cam"]["files"] = "rows.parquet"
    files.write()


def told(files):
    result = CliRunner().invoke(main, ["data", "validate", str(files.folder)])
    return " ".join(result.stdout.split())


def test_objects_that_the_index_does_not_know_are_counted(files, make_h5):
    index(files, make_h5, known=4)
    line = "warning: cam: 2 of 6 objects are not in rows.parquet: where the catalogue has grown,"
    assert f"{line} run fmb data index again" in told(files)


def test_an_object_without_a_file_is_known_to_it(files, make_h5):
    index(files, make_h5, known=6)
    assert "fmb data index" not in told(files)
