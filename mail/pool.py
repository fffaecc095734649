"""The connections to a relay, kept from batch to batch."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from domain.failures import TemporaryFailure
from mail.connection import Connection
from mail.opening import connect
from mail.relay import Relay

PAUSES = (0.5, 2.0)  # seconds; a server may count the connection it just closed for a moment yet
MISTRUST = 2  # messages that went alone and not pipelined, until pipelining is given up


@dataclass
class Pool:
    """Opens connections, keeps idle ones, and learns whether pipelining works with this relay."""

    relay: Relay
    _idle: list[Connection] = field(default_factory=list)
    _mistrust: int = 0

    async def open(self, *, again: bool, plain: bool) -> Connection:
        """
        Return a connection; raises TemporaryFailure or PermanentFailure.

        `again`: one was lost a moment ago, so that the relay is worth some patience. `plain`:
        without pipelining.
        """
        while self._idle and not plain:
            if (connection := self._idle.pop()).is_open:
                return connection
        pipelines = self.relay.pipelining and not plain and self._mistrust < MISTRUST
        for pause in PAUSES if again else ():
            try:
                return await connect(self.relay, pipelines=pipelines)
            except TemporaryFailure:
                await asyncio.sleep(pause)
        return await connect(self.relay, pipelines=pipelines)

    def keep(self, connection: Connection) -> None:
        if connection.is_open and not connection.announced:
            self._idle.append(connection)
        else:
            connection.close()

    async def retire(self, connection: Connection) -> bool:
        """Close a connection that has carried as many messages as one may; True if it did."""
        if not self._is_last(connection, done=0):
            return False
        await connection.quit()
        return True

    def may_announce(self, connection: Connection) -> bool:
        """Tell whether another message may follow the one under way."""
        return not self._is_last(connection, done=1)

    def mistrust_pipelining(self) -> None:
        """Note that a message got through only after pipelining was switched off for it."""
        self._mistrust += 1

    async def quit(self) -> None:
        while self._idle:
            await self._idle.pop().quit()

    def _is_last(self, connection: Connection, *, done: int) -> bool:
        most = self.relay.messages_per_connection
        return 0 < most <= connection.delivered + done
