"""`fmb analyze nuisance`: how strongly the head of a list follows what it should not."""

import numpy as np
import pandas as pd
import pytest

from fmb import open_run

N = 1500


@pytest.fixture
def listed(tmp_path, fmb):
    """A run of vectors that grow with brightness, with more columns of the catalogue."""

    def run(grow=1.0, given="none", out="mine", **columns):
        rng = np.random.default_rng(0)
        magnitude = rng.uniform(18, 24, N)
        vectors = rng.normal(size=(N, 4)) * 10 ** (0.2 * grow * (24 - magnitude))[:, None]
        np.savez(tmp_path / "own.npz", object_id=np.arange(N), vectors=vectors)
        table = {"object_id": np.arange(N), "magnitude": magnitude, "ebv": rng.random(N), **columns}
        pd.DataFrame(table).to_csv(tmp_path / "own.csv", index=False)
        files = ("--embeddings", tmp_path / "own.npz", "--catalog", tmp_path / "own.csv")
        result = fmb("detect", *files, "--detector", "gaussian", "--given", given, "--out", out)
        assert result.exit_code == 0, result.stderr
        return fmb("analyze", "nuisance", out)

    return run


def strength(run="mine"):
    return open_run(run).table("nuisance", "strength").set_index("role")


def test_a_list_that_bright_objects_lead_follows_magnitude_and_nothing_else(listed):
    assert listed().exit_code == 0
    table = strength()
    assert table.index.tolist() == ["all", "magnitude", "ebv"]
    assert (table["head"] == 50).all()  # 1 % were 15
    assert (table["ranked"] == N).all()
    assert table["low"]["magnitude"] > 0.9
    assert table["low"]["all"] > 0.9
    assert table["low"]["ebv"] <= 0.5 <= table["high"]["ebv"]
    assert ((table["low"] <= table["auroc"]) & (table["auroc"] <= table["high"])).all()


def test_a_list_that_is_given_what_it_follows_follows_it_no_more(listed):
    listed(given="magnitude")
    table = strength()
    assert (table["given"] == "magnitude").all()
    listed(out="raw")
    assert table["low"]["magnitude"] < 0.6 < strength("raw")["low"]["magnitude"]


def test_a_list_that_follows_nothing_is_at_chance(listed):
    listed(grow=0.0)
    table = strength()
    assert (table["low"] <= 0.5).all()
    assert (table["high"] < 0.65).all()


def test_another_head_and_other_roles_can_be_asked_for(listed, fmb):
    listed(redshift=np.linspace(0, 1, N))
    options = ("head=0.1", "roles=['redshift']")
    result = fmb(
        "analyze", "z=nuisance", "mine", *(w for o in options for w in ("--set", f"analysis.z.{o}"))
    )
    assert result.exit_code == 0, result.stderr
    table = open_run("mine").table("z", "strength")
    assert table["role"].tolist() == ["all", "redshift"]
    assert (table["head"] == 150).all()


@pytest.mark.parametrize(
    ("option", "said"),
    [("roles=['colour']", "'colour' is no role of numbers"), ("head=0.6", "head")],
)
def test_options_that_do_not_work_are_refused(listed, fmb, option, said):
    listed()
    result = fmb("analyze", "nuisance", "mine", "--set", f"analysis.nuisance.{option}")
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_catalogue_without_roles_and_a_short_list_are_refused_in_a_line(listed, fmb):
    listed()
    none = fmb("analyze", "nuisance", "mine", "--set", "analysis.nuisance.roles=['psf']")
    assert none.exit_code == 2
    assert "no column of its catalogue plays one of psf" in none.stderr
    short = fmb("analyze", "nuisance", "mine", "--set", "analysis.nuisance.at_least=800")
    assert short.exit_code == 2
    assert "a head of 800 of 1,500 objects has no rest to compare with" in short.stderr
    assert len(none.stderr.splitlines()) == len(short.stderr.splitlines()) == 1
