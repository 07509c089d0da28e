"""The terminal's end of the client on Linux and macOS: sleeps while no key is pressed, and never draws for an old size.

Textual reads keys in a thread that looks ten times a second whether it shall end, which costs a client that is left
alone more than its clock does; and it measures the terminal inside the handler of a signal, where the next signal may
interrupt it, so that of two sizes the older can be told last. Here the event loop waits for both; and for the signals
of a shell's jobs, as it then leaves and takes the terminal between two writes, never within one.
"""

import asyncio
import codecs
import os
import signal
from typing import Final

from textual._xterm_parser import XTermParser
from textual.constants import ESCAPE_DELAY
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.geometry import Size

_READ_BYTES: Final = 4096
_TICK_SECONDS: Final = ESCAPE_DELAY + 0.002
"""An escape that nothing has followed for this long was the key."""


class TerminalDriver(LinuxDriver):
    _parser: XTermParser
    _decoder: codecs.IncrementalDecoder
    _tick: asyncio.TimerHandle | None = None
    _has_terminal = False

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._has_terminal = True
        self._loop.add_signal_handler(signal.SIGWINCH, self._tell_size)
        self._loop.add_signal_handler(signal.SIGTSTP, self._stop)
        self._loop.add_signal_handler(signal.SIGCONT, self._come_back)

    def stop_application_mode(self) -> None:
        self._has_terminal = False
        super().stop_application_mode()

    def run_input_thread(self) -> None:
        """What Textual starts in a thread: that ends at once, but for an input that no event loop can wait for."""
        if self.input_tty:
            self._loop.call_soon_threadsafe(self._listen)
        else:
            super().run_input_thread()

    def disable_input(self) -> None:
        super().disable_input()
        self._loop.remove_reader(self.fileno)
        self._cancel_tick()

    def _stop(self) -> None:
        """Until a shell's `fg`."""
        if self._auto_restart:
            self.suspend_application_mode()
        os.kill(os.getpid(), signal.SIGSTOP)

    def _come_back(self) -> None:
        """Take the terminal, and paint it whole: whoever had it meanwhile may have changed anything."""
        if not self._auto_restart:
            return
        if not self._is_in_front():
            os.kill(os.getpid(), signal.SIGSTOP)
            return
        if self._has_terminal:  # by SIGSTOP nobody is asked first: its modes are ours still, or the shell's
            self.suspend_application_mode()
        self._must_signal_resume = True
        self.resume_application_mode()

    def _is_in_front(self) -> bool:
        """Whether the terminal's keys are for this job; there are none where no shell controls the terminal."""
        try:
            return os.tcgetpgrp(self.fileno) == os.getpgrp()
        except OSError:
            return True

    def _tell_size(self) -> None:
        if not self._in_band_window_resize:
            size = Size(*self._get_terminal_size())
            self.send_message(Resize(size, size))

    def _listen(self) -> None:
        self._parser = XTermParser(self._debug)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._loop.add_reader(self.fileno, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self.fileno, _READ_BYTES)
        except OSError:  # the terminal has gone
            data = b""
        if not data:
            self._loop.remove_reader(self.fileno)
            return
        text = self._decoder.decode(data)
        if text:  # of a letter's first byte there is none yet, and to the parser none is the end of all keys
            for message in self._parser.feed(text):
                self.process_message(message)
        self._cancel_tick()
        self._tick = self._loop.call_later(_TICK_SECONDS, self._end_sequence)

    def _end_sequence(self) -> None:
        for message in self._parser.tick():
            self.process_message(message)

    def _cancel_tick(self) -> None:
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None


def quiet_driver(chosen: type[Driver]) -> type[Driver]:
    """In place of Textual's usual one; a driver that was asked for by TEXTUAL_DRIVER stays."""
    return TerminalDriver if chosen is LinuxDriver else chosen
