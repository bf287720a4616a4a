"""A table that other programs show: sent to them, and what their users point at in it."""

import contextlib
import queue
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmb import ConfigError, FailedError

__all__ = ["Conversation", "Pointed", "conversation"]

_LOAD = "table.load.votable"
_HIGHLIGHT, _SELECT = "table.highlight.row", "table.select.rowList"
_ENDED = "samp.hub.event.shutdown"
_LOADED_SECONDS = 120
"""A program may take to load the table."""


@dataclass(frozen=True)
class Pointed:
    """What somebody points at in the table."""

    who: str
    rows: tuple[int, ...]
    """Zero-based rows of the table."""
    selected: bool
    """True for a selection, False for the one row that is highlighted."""


class Conversation:
    """A connection to the hub, about one table."""

    def __init__(self, client: Any, path: Path, table_id: str, name: str) -> None:
        """A conversation on a client that is connected.

        Args:
            client: `pyvo.samp.SAMPIntegratedClient`.
            path: the VOTable; there as long as the conversation lasts.
            table_id: by which programs call it.
            name: by which they show it.
        """
        self._client, self._name = client, name
        self._url, self._table = path.absolute().as_uri(), table_id
        self._heard: queue.SimpleQueue[Pointed | None] = queue.SimpleQueue()
        for kind in (_HIGHLIGHT, _SELECT, _ENDED):
            client.bind_receive_notification(kind, self._notified)
            client.bind_receive_call(kind, self._called)

    def send(self) -> list[str]:
        """Give the table to every program that shows tables.

        Returns:
            Their names.

        Raises:
            FailedError: there is none, or one could not load it.
        """
        there = sorted(self._client.get_subscribed_clients(_LOAD))
        if not there:
            raise FailedError(
                "no program on the SAMP hub shows tables; start TOPCAT or Aladin and repeat"
            )
        words = {"url": self._url, "table-id": self._table, "name": self._name}
        message = {"samp.mtype": _LOAD, "samp.params": words}
        for one in there:
            answer = self._client.call_and_wait(one, message, timeout=str(_LOADED_SECONDS))
            if answer["samp.status"] == "samp.error":
                why = answer.get("samp.error", {}).get("samp.errortxt", "it does not say why")
                raise FailedError(f"{self._name_of(one)} could not load the table: {why}")
        return [self._name_of(one) for one in there]

    def heard(self) -> Iterator[Pointed]:
        """What is pointed at, as it comes, until the hub goes away."""
        while True:
            with contextlib.suppress(queue.Empty):
                # Not for ever: Ctrl-C is heard between two waits.
                if (pointed := self._heard.get(timeout=0.2)) is None:
                    return
                yield pointed

    def _name_of(self, client: str) -> str:
        return str(self._client.get_metadata(client).get("samp.name", client))

    # By how many arguments these take, pyvo knows what they are for.

    def _called(
        self, key: str, sender: str, message: str, kind: str, words: Any, extra: Any
    ) -> None:
        self._hear(sender, kind, words)
        self._client.reply(message, {"samp.status": "samp.ok", "samp.result": {}})

    def _notified(self, key: str, sender: str, kind: str, words: Any, extra: Any) -> None:
        self._hear(sender, kind, words)

    def _hear(self, sender: str, kind: str, words: Mapping[str, Any]) -> None:
        if kind == _ENDED:
            self._heard.put(None)
        elif words.get("table-id") == self._table or words.get("url") == self._url:
            rows = words.get("row-list", []) if kind == _SELECT else [words.get("row", -1)]
            there = tuple(int(row) for row in rows if int(row) >= 0)  # -1: none any more
            if there:
                self._heard.put(Pointed(sender, there, kind == _SELECT))


@contextlib.contextmanager
def conversation(path: Path, table_id: str, name: str) -> Iterator[Conversation]:
    """Be connected to the hub of this machine as long as the block lasts.

    Raises:
        ConfigError: pyvo is not installed.
        FailedError: no hub is running.
    """
    try:
        from pyvo import samp
    except ImportError:
        raise ConfigError("fmb samp needs pyvo: pip install 'fmb-surveys[vo]'") from None
    client = samp.SAMPIntegratedClient(
        name="FMB", description="Strange objects of a survey", addr="127.0.0.1"
    )
    with samp.conf.set_temp("use_internet", False):
        try:
            client.connect()
        except samp.SAMPHubError:
            raise FailedError(
                "no SAMP hub is running; start TOPCAT, which brings one, and repeat"
            ) from None
        try:
            yield Conversation(client, path, table_id, name)
        finally:
            with contextlib.suppress(samp.SAMPHubError, samp.SAMPProxyError, OSError):
                client.disconnect()
