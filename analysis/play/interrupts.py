"""Ctrl-C and other requests to end: one is enough, and none arrives in the middle of cleaning up.

Python delivers signals to the main thread alone; in other threads nothing here has an effect.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from simulation.training.signals import REQUESTS

ONE_WISH_S = 1.0  # assumption: whoever presses Ctrl-C again within a second wants nothing else than before
Handler = Callable[[int, FrameType | None], Any]


@dataclass
class LastRequest:
    """When this process was last asked to end."""

    time: float = -ONE_WISH_S

    def is_news(self) -> bool:
        """Whether a request that arrives now is another wish; it is the last one from now on."""
        before, self.time = self.time, time.monotonic()
        return self.time - before >= ONE_WISH_S


LAST = LastRequest()


@dataclass(frozen=True)
class Once:
    """A handler that hands on a request, but not those that follow at once: they would cut off the cleaning up."""

    handler: Handler

    def __call__(self, number: int, frame: FrameType | None) -> Any:
        """Hand the request on, or leave it out."""
        return self.handler(number, frame) if LAST.is_news() else None


@dataclass
class Held:
    """Requests that arrived while they were held, and what else would have handled them."""

    handlers: dict[int, Handler]
    noted: list[int] = field(default_factory=list)

    def hold(self) -> None:
        """Note requests from now on."""
        for number in self.handlers:
            signal.signal(number, self._note)

    def _note(self, number: int, _: FrameType | None) -> None:
        LAST.is_news()
        self.noted.append(number)

    def release(self) -> None:
        """Handle requests as before."""
        for number, handler in self.handlers.items():
            signal.signal(number, handler)

    @contextmanager
    def let_through(self) -> Iterator[None]:
        """Requests interrupt what is inside, once; one that was noted before does so at once."""
        try:
            for number, handler in self.handlers.items():
                signal.signal(number, handler if isinstance(handler, Once) else Once(handler))
            self.raise_noted()
            yield
        finally:
            self._hold_surely()

    def _hold_surely(self) -> None:
        try:
            self.hold()
        except BaseException:  # a request arrived between the work and this line; another wish is a second away
            self.hold()
            raise

    def raise_noted(self) -> None:
        """Raise `KeyboardInterrupt` where a request was noted."""
        if self.noted:
            raise KeyboardInterrupt


@contextmanager
def held() -> Iterator[Held]:
    """Requests to end are only noted inside. Those that are ignored or that end the process at once stay so."""
    here = threading.current_thread() is threading.main_thread()
    known = {number: signal.getsignal(number) for number in REQUESTS} if here else {}
    requests = Held({number: handler for number, handler in known.items() if callable(handler)})
    requests.hold()
    try:
        yield requests
    finally:
        requests.release()


def end_on_request() -> None:
    """Have a request to end (`kill`, a scheduler, a closed terminal) be like Ctrl-C; `nohup` keeps its meaning."""
    for number in REQUESTS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, Once(signal.default_int_handler))


def end_undisturbed() -> None:
    """Ignore requests from now on: the process ends anyway."""
    for number in REQUESTS:
        signal.signal(number, signal.SIG_IGN)
