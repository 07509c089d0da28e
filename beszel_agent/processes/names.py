"""How many processes go by names that somebody waits for. Pure."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from beszel_agent.processes.scanner import Process
from beszel_protocol.hygiene import clean_text
from beszel_protocol.messages import MAX_PROCESS_PATTERN_LENGTH, MAX_PROCESS_PATTERNS

_KERNEL_LENGTH: Final = 15
"""Of a name Linux keeps so many bytes; those of a longer pattern are compared."""
_ANYTHING: Final = "*"


class Names:
    """The patterns that count, in the words in which they were asked for."""

    def __init__(self) -> None:
        self._forms: dict[str, re.Pattern[str]] = {}

    def want(self, patterns: Sequence[str]) -> None:
        """From now on these and no others; what is too much or no text is left out."""
        sound = [text for text in patterns if text and text == clean_text(text, MAX_PROCESS_PATTERN_LENGTH)]
        self._forms = {text: _compile(text) for text in sound[:MAX_PROCESS_PATTERNS]}

    def count(self, processes: Iterable[Process]) -> dict[str, int] | None:
        """None if nobody asks."""
        forms = self._forms
        if not forms:
            return None
        counts = dict.fromkeys(forms, 0)
        for process in processes:
            stat = process.stat
            if not stat.is_kernel_thread and not stat.is_zombie:
                name = stat.raw_name.decode("utf-8", "replace")
                for text, form in forms.items():
                    counts[text] += form.fullmatch(name) is not None
        return counts


class CountsNames:
    """A collector that counts processes by name."""

    def __init__(self) -> None:
        self.names = Names()


class WantedNames:
    """What the hub asks for, until the collector that counts is at work to be told."""

    def __init__(self, find: Callable[[], CountsNames | None]) -> None:
        self._find = find
        self._waiting: Sequence[str] | None = None

    def replace(self, patterns: Sequence[str]) -> None:
        self._waiting = patterns
        self.hand_over()

    def hand_over(self) -> None:
        """Called with every sample."""
        if self._waiting is None:
            return
        collector = self._find()
        if collector is not None:
            collector.names.want(self._waiting)
            self._waiting = None


def _compile(pattern: str) -> re.Pattern[str]:
    form = ".*".join(map(re.escape, pattern.split(_ANYTHING)))
    if len(pattern) > _KERNEL_LENGTH and _ANYTHING not in pattern[:_KERNEL_LENGTH]:
        form = f"{form}|{re.escape(pattern[:_KERNEL_LENGTH])}"
    return re.compile(form, re.DOTALL)
