"""A mail server far away: it keeps nothing, and every answer is a round trip late."""

from __future__ import annotations

import asyncio
import sys

END = b"\r\n.\r\n"
TAIL = len(END) - 1  # of a body: the end may come in two pieces
GREETING = b"220 sink.test ESMTP\r\n"
EHLO = b"250-sink.test\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250 8BITMIME\r\n"


class Session(asyncio.Protocol):
    """One client; commands that come together are answered together (RFC 2920)."""

    def __init__(self, delay: float) -> None:
        self._delay = delay  # seconds
        self._unread = b""
        self._reads_body = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._later(GREETING)

    def data_received(self, received: bytes) -> None:
        self._unread += received
        replies: list[bytes] = []
        while (reply := self._next()) is not None:
            replies.append(reply)
        if replies:
            self._later(b"".join(replies))

    def _next(self) -> bytes | None:
        """Answer the next command or body; None: it is not here as a whole."""
        if self._reads_body:
            at = self._unread.find(END)
            if at < 0:
                self._unread = self._unread[-TAIL:]
                return None
            self._unread = self._unread[at + len(END) :]
            self._reads_body = False
            return b"250 2.0.0 Ok\r\n"
        command, line_end, rest = self._unread.partition(b"\r\n")
        if not line_end:
            return None
        self._unread = rest
        return self._answer(command[:4].upper())

    def _answer(self, verb: bytes) -> bytes:
        if verb == b"EHLO":
            return EHLO
        if verb == b"DATA":
            self._reads_body = True
            self._unread = b"\r\n" + self._unread  # a body may be a lone dot
            return b"354 Go on\r\n"
        if verb == b"QUIT":
            later = asyncio.get_running_loop().call_later
            later(self._delay * 1.5, self._transport.close)
            return b"221 2.0.0 Bye\r\n"
        return b"250 2.0.0 Ok\r\n"

    def _later(self, reply: bytes) -> None:
        asyncio.get_running_loop().call_later(self._delay, self._transport.write, reply)


async def serve(delay: float) -> None:
    """Listen on a free port and tell it, until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Session(delay), "127.0.0.1", backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]) / 1000))
