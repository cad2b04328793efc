"""One connection: reads requests, plays scripts. An asyncio protocol: no task and no stream per call."""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import cast

from habitus_runners.faults.asked import End, Script
from habitus_runners.faults.http11 import HttpRequest, MalformedRequestError, RequestReader, json_reply
from habitus_runners.faults.log import Call, Log

Play = tuple[Call, Script]


class Connection(asyncio.Protocol):
    """Requests are answered one after another; what comes meanwhile waits."""

    def __init__(self, respond: Callable[[HttpRequest], Play], log: Log, opened: set["Connection"]) -> None:
        self._respond = respond
        self._log = log
        self._opened = opened
        self._reader = RequestReader()
        self._playing: Play | None = None
        self._step = 0
        self._timer: asyncio.TimerHandle | None = None
        self._full = False
        self._paid = False
        self._last = False
        self._lost = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; its buffer is "full" as long as one byte is in it, so that sent means sent."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)
        self._opened.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever was being played did not arrive."""
        del exc
        self._lost = True
        self._opened.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._playing is not None:
            self._finish(finished=False)

    def data_received(self, data: bytes) -> None:
        """Answer what is now whole."""
        self._reader.feed(data)
        if self._playing is None:
            self._next()

    def pause_writing(self) -> None:
        """The client reads slower than the script is sent."""
        self._full = True

    def resume_writing(self) -> None:
        """All bytes so far have left."""
        self._full = False
        if self._playing is not None and self._timer is None:
            self._waited()

    def reset(self) -> None:
        """Cut with a TCP reset: with a linger time of zero, closing sends RST in place of FIN."""
        self._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self._transport.abort()

    def _next(self) -> None:
        while self._playing is None and not self._lost:
            try:
                request = self._reader.next_request()
            except MalformedRequestError as error:
                reply = json_reply({"error": {"message": str(error), "type": "invalid_request_error"}}, 400)
                self._transport.write(reply.head() + reply.body)
                self._transport.close()
                return
            if request is None:
                if self._reader.wants_continue:
                    self._reader.wants_continue = False
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            self._last = request.headers.get("connection", "").lower() == "close"
            self._playing, self._step = self._respond(request), 0
            self._go_on()

    def _go_on(self) -> None:
        """Play until something has to be waited for. Loops in place of calling itself: a script may have many steps."""
        self._timer = None
        while self._playing is not None and not self._full:
            call, script = self._playing
            if self._step == len(script.steps):
                self._finish(finished=True)
                break
            step = script.steps[self._step]
            self._step += 1
            if isinstance(step, bytes):
                self._send(call, script, step)
            elif isinstance(step, End):
                self._end(step)
                return
            else:
                self._timer = asyncio.get_running_loop().call_later(step, self._waited)
                return

    def _send(self, call: Call, script: Script, piece: bytes) -> None:
        """Write; a usable answer counts from just before its last byte, since the client may look at once."""
        call.status = script.status
        if script.usable and self._step == len(script.steps) and not self._transport.is_closing():
            self._log.pay(call.key)
            self._paid = True
        self._transport.write(piece)

    def _waited(self) -> None:
        self._go_on()
        self._next()

    def _end(self, end: End) -> None:
        if end is End.RESET:
            self.reset()
        elif end is End.CLOSE:
            self._transport.close()

    def _finish(self, *, finished: bool) -> None:
        if self._playing is None:
            return
        call = self._playing[0]
        self._playing = None
        self._log.end(call, finished=finished)
        if self._paid and not finished:
            self._log.pay(call.key, -1)
        self._paid = False
        if finished and self._last:
            self._transport.close()
