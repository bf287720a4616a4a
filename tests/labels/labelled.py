"""Three objects far out, which are labelled."""

N = 60
FIRST, SECOND, THIRD = 10, 20, 30
"""The three strangest of the survey, strangest first."""


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


def refused(result, *words):
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.stderr
    for word in words:
        assert word in result.stderr


def journals(home):
    return sorted((home / "labels").rglob("*.jsonl"))
