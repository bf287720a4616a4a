"""What the README and the docs tell to type exists, and CI runs what the README says."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from fmb.cli import main

REPOSITORY = Path(__file__).parent.parent
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "fmb-*/README.md", "tests/third_party/*.md")
    for path in REPOSITORY.glob(pattern)
)
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


MANY = re.MULTILINE | re.DOTALL
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", README, MANY)
COMMAND = re.compile(r"\s*(?:\$ )?(?:[A-Z_]+=\S*\s+)*(?:\S*/)?(fmb\s+.*)")


def commands(text: str) -> list[str]:
    """The `fmb ...` command lines of a page: in code blocks and between backticks."""
    text = text.replace("\\\n", " ")
    blocks = re.findall(r"^```(?:bash|console|sh|text)?\n(.*?)^```$", text, MANY)
    lines = [line for block in blocks for line in block.splitlines()]
    prose = re.sub(r"^```.*?^```$", "", text, flags=MANY)
    lines += re.findall(r"^ {4}.*", prose, re.MULTILINE) + re.findall(r"`([^`\n]+)`", prose)
    parts = [part for line in lines for part in re.split(r"&&|;|\s\|\s", line)]
    return [found[1].strip() for part in parts if (found := COMMAND.match(part))]


def complaint(line: str) -> str:
    """Why `line` is no command of ours; "" when it is one."""
    try:
        words = shlex.split(line, comments=True)[1:]
    except ValueError as error:
        return str(error)
    command: click.Command = main
    context = click.Context(main, info_name="fmb")
    while words:
        word = words.pop(0)
        if word.startswith("--") or re.fullmatch(r"-[a-zA-Z]", word):
            options = command.get_params(context)
            known = {name for one in options for name in (*one.opts, *one.secondary_opts)}
            if word.partition("=")[0] not in known:
                return f"{context.command_path} has no option {word}"
        elif isinstance(command, click.Group) and not word.isupper():
            for name in word.split("|"):  # `fmb plugins list|info` tells two commands
                found = command.get_command(context, name)
                if found is None:
                    return f"{context.command_path} has no command {name}"
            command, context = found, click.Context(found, info_name=name, parent=context)
    return ""


def test_the_first_two_blocks_of_the_readme_are_one_command_line_each():
    for block in BLOCKS[:2]:
        assert block.count("\n") == 1
        assert "\\" not in block


def test_the_first_block_installs_the_tested_versions_and_runs_the_main_job():
    assert "pip install -q -r packages.txt " in BLOCKS[0]
    assert BLOCKS[0].strip().endswith("fmb run --model astropt --detector flow")
    listed = (REPOSITORY / "packages.txt").read_text(encoding="utf-8").splitlines()
    assert "-c constraints.txt" in listed
    for package in REPOSITORY.glob("fmb-*/pyproject.toml"):
        assert f"-e ./{package.parent.name}" in listed


def test_the_second_block_runs_every_check_that_nox_runs_by_default():
    default = re.search(r"options\.sessions = \[(.*)\]", (REPOSITORY / "noxfile.py").read_text())
    named = BLOCKS[1].partition("nox -s ")[2].split()
    assert named == re.findall(r'"(\w+)"', default[1])
    assert "tests" in named


@pytest.fixture
def clone(tmp_path):
    """A clone whose README asks for something quick, with and without data beside it."""
    folder = tmp_path / "with space" / "clone"
    shutil.copytree(REPOSITORY / ".ci", folder / ".ci")
    blocks = ["echo first > proof", 'env > seen; pwd > proof', "echo third > proof"]  # fmt: skip
    text = "\n".join(f"Text.\n\n```bash\n{block}\n```\n\n```text\nx\n```" for block in blocks)
    (folder / "README.md").write_text(text)
    return folder


def run_ci(clone, **environment):
    hidden = ("PIP_", "UV_", "FMB_")
    known = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
    done = subprocess.run(
        ["bash", clone / ".ci" / "run"],
        env={**known, **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    lines = (clone / "seen").read_text().splitlines() if (clone / "seen").exists() else []
    return done, dict(line.partition("=")[::2] for line in lines)


def test_ci_runs_the_second_block_of_the_readme_in_the_clone(clone):
    done, seen = run_ci(clone)
    assert done.returncode == 0, done.stderr
    assert (clone / "proof").read_text().strip() == str(clone)
    assert seen["PIP_CONSTRAINT"] == seen["UV_CONSTRAINT"] == f"{clone}/constraints.txt"
    assert "FMB_TEST_DATA" not in seen
    assert "UV_FIND_LINKS" not in seen


def test_ci_tells_the_tests_of_data_beside_the_clone_and_uv_of_local_wheels(clone):
    data = clone.parent / "shared" / "data"
    data.mkdir(parents=True)
    _, seen = run_ci(clone, PIP_FIND_LINKS="/a /b")
    assert seen["FMB_TEST_DATA"] == str(data)
    assert seen["UV_FIND_LINKS"] == "/a,/b"


def test_ci_fails_where_the_block_fails_or_is_not_there(clone):
    (clone / "README.md").write_text("```bash\ntrue\n```\n```bash\nfalse; true\n```\n")
    assert run_ci(clone)[0].returncode != 0
    (clone / "README.md").write_text("```bash\ntrue\n```\n")
    done, _ = run_ci(clone)
    assert done.returncode == 1
    assert "no second bash block" in done.stderr


def told() -> list[tuple[str, str]]:
    return [
        (str(page.relative_to(REPOSITORY)), line)
        for page in PAGES
        for line in commands(page.read_text(encoding="utf-8"))
    ]


def test_the_readme_tells_commands():
    assert len([line for page, line in told() if page == "README.md"]) >= 5


def test_every_command_of_the_readme_and_the_docs_exists_with_its_options():
    wrong = [f"{page}: `{line}`: {why}" for page, line in told() if (why := complaint(line))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("fmb plugins list|info", ""),
        ("fmb plugins list|inf", "fmb plugins has no command inf"),
        ("fmb run --model astropt --detector flow", ""),
        ("fmb plugins list --json", ""),
        ("fmb top RUN -k 50", ""),
        ("fmb COMMAND --help", ""),
        ("fmb run --where 'mag", "No closing quotation"),
        ("fmb runn", "fmb has no command runn"),
        ("fmb plugins lst", "fmb plugins has no command lst"),
        ("fmb run --modle astropt", "fmb run has no option --modle"),
        ("fmb top RUN -z 3", "fmb top has no option -z"),
    ],
)
def test_the_check_of_commands_knows_right_from_wrong(line, why):
    assert complaint(line) == why


def test_the_check_finds_commands_wherever_they_stand():
    text = """
Type `fmb a -k 3`, not `fmb.run()`.
```bash
X=1 .venv/bin/fmb b \\
  --c && fmb d | less
```
```python
fmb e
```

    fmb f \\
        --g
"""
    assert commands(text) == ["fmb b    --c", "fmb d", "fmb f          --g", "fmb a -k 3"]
