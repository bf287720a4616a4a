"""Gives damaged files to every reader: each ends as it should, or in one line that says why not.

Run: python tests/damage/session.py [--files 2000] [--bytes 500000] [--readers csv,hdf5] [--seed 0]

A child process reads the files of one reader one after the other, so that one that crashes or
hangs is known by its number: `--seed` and the number make it again.
"""

import argparse
import faulthandler
import multiprocessing
import resource
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import tables
import vectors
import weights
from reader import Reader

from fmb import FmbError

READERS = [*tables.READERS, *vectors.READERS, *weights.READERS]

SECONDS = 10
MEMORY = 8 * 2**30
TEXT = b"0123456789.,;:+-eE'\"[]{}=#_/ \n\tabcNAnull"
RANDOM_FILE = 500
"""Bytes of a file of nothing but chance."""


def chance(length: int, rng: np.random.Generator, text: bool) -> bytes:
    """Bytes of any value, or of what stands in texts."""
    return bytes(rng.choice(list(TEXT), length)) if text else rng.bytes(length)


def damaged(sound: bytes, rng: np.random.Generator) -> bytes:
    """Sound bytes with one to four things wrong; half of the texts stay texts."""
    body = bytearray(sound)
    text = sound.isascii() and bool(rng.integers(0, 2))
    for _ in range(rng.integers(1, 5)):
        at = int(rng.integers(0, max(1, len(body))))
        length = int(rng.integers(1, 17))
        match rng.integers(0, 6):
            case 0:  # bits
                body[at : at + 1] = chance(1, rng, text)
            case 1:  # a stretch
                body[at : at + length] = chance(len(body[at : at + length]), rng, text)
            case 2:  # cut short
                del body[at:]
            case 3:  # something lost
                del body[at : at + length]
            case 4:  # something between
                body[at:at] = chance(length, rng, text)
            case 5:  # numbers at their limits
                limits = (b"9", b"0", b"-", b"e") if text else (b"\xff", b"\x00", b"\x7f", b"\x80")
                limit = limits[rng.integers(0, 4)]
                body[at : at + 8] = limit * len(body[at : at + 8])
    return bytes(body)


def files(reader: Reader, count: int, random_bytes: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Name and content of each: damaged ones, then bytes of chance alone."""
    sound = reader.sound()
    yield "sound", sound
    for number in range(count):
        yield f"damaged {number}", damaged(sound, np.random.default_rng([seed, number]))
    for number in range(random_bytes // RANDOM_FILE):
        yield f"random {number}", np.random.default_rng([seed, number, 1]).bytes(RANDOM_FILE)


def read_all(reader: Reader, count: int, random_bytes: int, seed: int, told: Any) -> None:
    """In a child: tells the name of each file before it is read, and what went wrong with it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("error")  # a library's warning would reach the user's screen
    for name, content in files(reader, count, random_bytes, seed):
        told.send(("reads", name))
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / reader.file
            path.write_bytes(content)
            try:
                reader.read(path)
                told.send(("took", name))
            except FmbError as error:
                text = str(error)
                line = "\n" not in text and len(text) < 1000
                told.send(("refused", name) if line else ("wrong", f"{name}: {text!r}"))
            except BaseException:
                told.send(("wrong", f"{name}: {traceback.format_exc()}"))
        faulthandler.cancel_dump_traceback_later()
    told.send(("done", ""))


def session(
    reader: Reader, count: int, random_bytes: int, seed: int
) -> tuple[dict[str, int], list[str]]:
    """How many files were taken and refused, and what went wrong."""
    counts, problems = {"took": 0, "refused": 0}, []
    ours, theirs = multiprocessing.Pipe(duplex=False)
    arguments = (reader, count, random_bytes, seed, theirs)
    child = multiprocessing.get_context("fork").Process(target=read_all, args=arguments)
    child.start()
    theirs.close()
    name = "start"
    try:
        while (message := ours.recv())[0] != "done":
            if message[0] == "reads":
                name = message[1]
            elif message[0] == "wrong":
                problems.append(message[1])
            else:
                counts[message[0]] += 1
    except EOFError:
        child.join()
        how = "does not end" if child.exitcode == 1 else f"ends the process ({child.exitcode})"
        problems.append(f"{name}: {how}")
    child.join()
    return counts, problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--bytes", type=int, default=500_000)
    parser.add_argument("--readers", default="")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    wanted = [name for name in asked.readers.split(",") if name]
    wrong = 0
    print(f"{'reader':14} {'took':>6} {'refused':>8} {'wrong':>6}")
    for reader in READERS:
        if not wanted or reader.name in wanted:
            counts, problems = session(reader, asked.files, asked.bytes, asked.seed)
            wrong += len(problems)
            print(f"{reader.name:14} {counts['took']:6} {counts['refused']:8} {len(problems):6}")
            for text in problems[:5]:
                print(f"  {text}", file=sys.stderr)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
