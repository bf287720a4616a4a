"""The checks of the project; `nox -l` lists them, `nox -s NAME -- ARGUMENTS` runs one."""

from pathlib import Path

import nox

nox.needs_version = ">=2025.10.14"
nox.options.default_venv_backend = "uv|virtualenv"
# A Python that is not here is a session skipped with that reason, not a download.
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "types", "alone", "tests"]

REPOSITORY = Path(__file__).parent
PACKAGES = sorted(path.parent.name for path in REPOSITORY.glob("fmb-*/pyproject.toml"))
CONSTRAINED = ("-c", "constraints.txt")
# One command line for all: none of them is published, so each must see the others.
EDITABLE = ("-r", "packages.txt")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; arguments go to pytest: `nox -s tests -- fmb-core -k flow`."""
    tools = ("cogapp", "hatchling", "huggingface_hub", "hypothesis", "pytest", "pytest-xdist")
    formats = ("datasets", "fsspec[http]", "moto[s3,server]", "pillow", "pyvo", "s3fs", "specutils")
    session.install(*CONSTRAINED, *EDITABLE, *tools, *formats, "scikit-learn")
    # One thread a process: the tests run side by side, and sums in a fixed order compare equal.
    session.run(
        "pytest", "-n", "auto", "--dist", "loadfile", *session.posargs, env={"OMP_NUM_THREADS": "1"}
    )


@nox.session
def environments(session: nox.Session) -> None:
    """Run tests of figures, tables and downloads in a shell where everything is set up oddly."""
    tools = ("huggingface_hub", "pytest", "pytest-xdist")
    session.install(*CONSTRAINED, *EDITABLE, *tools)
    settings = Path(session.create_tmp()).resolve() / "matplotlibrc"
    settings.write_text("text.usetex: True\nfont.family: serif\nfigure.dpi: 10\nno colon\n")
    odd = {
        **dict.fromkeys(("HF_HOME", "MPLCONFIGDIR", "XDG_CACHE_HOME"), "/dev/null/no-folder"),
        **dict.fromkeys(("HF_HUB_OFFLINE", "NO_COLOR"), "1"),
        **{"MATPLOTLIBRC": str(settings), "MPLBACKEND": "module://not.installed"},
        **{"COLUMNS": "40", "TERM": "dumb", "LC_ALL": "C", "OMP_NUM_THREADS": "1", "HOME": None},
    }
    files = ("test_figure_settings", "test_screen", "test_tables", "test_weights_page")
    places = [f"tests/{name}.py" for name in files]
    places += ["fmb-core/tests/weights/hub", "fmb-viz/tests"]
    session.run("pytest", "-n", "auto", "--dist", "loadfile", *places, *session.posargs, env=odd)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting; `-- --fix` mends what can be mended."""
    session.install(*CONSTRAINED, "ruff")
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", *([] if "--fix" in session.posargs else ["--check"]))


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of the core and of what plugins declare, then of everything else."""
    session.install(*CONSTRAINED, *EDITABLE, "mypy", "pandas-stubs", "pytest")
    contracts = [
        str(path.relative_to(REPOSITORY))
        for file in ("plugin.py", "config.py")
        for path in sorted(REPOSITORY.glob(f"fmb-*/src/fmb_*/{file}"))
    ]
    session.run("mypy", "fmb-core/src", *contracts)
    session.run("mypy", *(f"{name}/src" for name in PACKAGES))


@nox.session(python=["3.11", "3.13"])
@nox.parametrize("package", PACKAGES)
def alone(session: nox.Session, package: str) -> None:
    """Install one package beside the core, without its siblings, and see that it works."""
    core = [] if package == "fmb-core" else ["./fmb-core"]
    session.install(*CONSTRAINED, *core, f"./{package}")
    for arguments in (["--help"], ["plugins"], ["run", "--help"]):
        session.run("fmb", *arguments, silent=True, env={"FMB_STRICT": "1"})
    session.run("python", "tests/alone/check.py", package)


@nox.session
def perf(session: nox.Session) -> None:
    """Print timings; arguments choose scripts of tests/perf: `nox -s perf -- startup`."""
    session.install(*CONSTRAINED, *EDITABLE, "datasets", "normflows", "scikit-learn")
    for script in sorted(REPOSITORY.glob("tests/perf/*.py")):
        if not session.posargs or script.stem in session.posargs:
            session.run("python", str(script.relative_to(REPOSITORY)))


@nox.session
def damage(session: nox.Session) -> None:
    """Give 2,000 damaged files and 500,000 random bytes to every reader: `-- --readers csv`."""
    session.install(*CONSTRAINED, *EDITABLE)
    session.run("python", "tests/damage/session.py", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Check that generated parts of the docs are current; `-- --update` rewrites them."""
    session.install(*CONSTRAINED, *EDITABLE, "cogapp")
    pages = [
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "README.md", *sorted(REPOSITORY.glob("docs/**/*.md")))
        if "[[[cog" in path.read_text(encoding="utf-8")
    ]
    if pages:
        update = "--update" in session.posargs
        session.run("cog", "-I", "docs", *(["-r"] if update else ["--check", "--diff"]), *pages)


@nox.session
def upstream(session: nox.Session) -> None:
    """Compare our models with the code they come from; one that lacks its checkout is skipped.

    Arguments choose a model and go to its script: `-- astroclip --checkout FOLDER`.
    """
    session.install(*CONSTRAINED, *EDITABLE)
    chosen, *options = session.posargs or [""]
    for script in sorted(REPOSITORY.glob("external/*/conformance.py")):
        if chosen in ("", script.parent.name):
            session.run("python", str(script.relative_to(REPOSITORY)), *options)
