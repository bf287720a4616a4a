"""The `fmb` command: one file a subcommand, imported when it is called."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from fmb.messages.errors import FmbError, did_you_mean
from fmb.plugins.commands import CommandGroup
from fmb.store.workspace import check_current_folder, check_text, plain_names
from fmb.terminal.progress import clear_progress
from fmb.terminal.streams import printing, ready_streams
from fmb.terminal.width import printable

__all__ = ["main"]

SILENT = ("plugins", "paths")
"""Commands that log nothing."""


class _OneLine(click.ClickException):
    """A user's mistake: one line on stderr and the error's own exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance

    def show(self, file: Any = None) -> None:
        from fmb.terminal.printing import echo_error  # here: help and lists do without it

        echo_error(f"fmb: {self.message}")


class _Main(CommandGroup):
    """What `fmb` can be asked to do; a user's mistake is one line."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        ready_streams()
        return super().main(*args, **kwargs)

    def make_context(self, info_name: Any, args: list[str], *of: Any, **more: Any) -> click.Context:
        with _one_line():
            check_text(*args)
            return super().make_context(info_name, args, *of, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with _one_line():
            return super().invoke(ctx)


@contextmanager
def _one_line() -> Iterator[None]:
    """A user's mistake in the block is one line."""
    try:
        with printing(), plain_names():
            yield
    except click.exceptions.NoArgsIsHelpError:  # `fmb data` alone shows its help
        raise
    except click.UsageError as error:
        where = error.ctx.command_path.removeprefix("fmb ") if error.ctx else "fmb"
        raise _OneLine(f"{where}: {_sentence(error)}", 2) from None
    except FmbError as error:
        raise _OneLine(" ".join(str(error).split()), error.exit_code) from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        from fmb.store.atomic import write_failure  # here: help and lists do without it

        raise _OneLine(str(write_failure(Path(), error)), 2) from None
    except KeyboardInterrupt:
        raise _OneLine(
            "interrupted; what was finished is kept, the same command resumes", 130
        ) from None


def _sentence(error: click.UsageError) -> str:
    """Click's message with the nearest right option, in the style of the other errors."""
    text = error.format_message().rstrip(".")
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        options = [o for p in error.ctx.command.params for o in p.opts if o.startswith("--")]
        return f"no option is called {error.option_name}{did_you_mean(error.option_name, options)}"
    return text[:1].lower() + text[1:]


def _beside_progress(record: Any) -> bool:
    """Every record is shown, on a line without progress and without what a terminal obeys."""
    clear_progress()
    record.msg, record.args = printable(record.getMessage()), ()
    return True


@click.group(
    cls=_Main, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80}
)
@click.version_option(package_name="fmb-core", prog_name="fmb")
@click.option("--strict", is_flag=True, help="Stop at a broken plugin instead of leaving it out.")
@click.option("-v", "--verbose", count=True, help="Say more on stderr.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors on stderr.")
@click.pass_context
def main(ctx: click.Context, strict: bool, verbose: int, quiet: bool) -> None:
    """Find the strange objects of a survey, according to astronomy's foundation models.

    Start with: fmb run --model MODEL --detector DETECTOR; `fmb plugins` lists the names.
    """
    check_current_folder()
    if strict:
        os.environ["FMB_STRICT"] = "1"
    ctx.obj = {"quiet": quiet}
    if ctx.invoked_subcommand in SILENT:
        return
    import logging  # here: listing plugins does without its 3 ms

    level = (
        logging.ERROR if quiet else (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    )
    handler = logging.StreamHandler()
    handler.addFilter(_beside_progress)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    # What is about to be written, and where, is said without -v too: `fmb.note` is for such lines.
    always = () if quiet else ("fmb.note",)
    handler.addFilter(lambda record: record.levelno >= level or record.name in always)
    logger = logging.getLogger("fmb")
    logger.handlers = [handler]
    logger.setLevel(level)
    logger.propagate = False
    logger.getChild("note").setLevel(min(level, logging.INFO))
