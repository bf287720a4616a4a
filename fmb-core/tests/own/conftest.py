"""How the tests of own vectors open a file."""

import pytest

from fmb.own.vector_file import open_vector_file
from fmb.store.digests import Digests
from fmb.vectors.asked import OwnVectors


@pytest.fixture
def read():
    """read(path, ids=..., catalog=...) opens it as `--embeddings` does."""

    def opened(path, **options):
        digests = Digests(path.parent / "workspace")
        return open_vector_file(OwnVectors(file=str(path), **options), digests)

    return opened


@pytest.fixture
def only():
    """only(survey) gives the one view of vectors that it has."""

    def view_of(survey):
        (view,) = survey.vectors.values()
        return view

    return view_of
