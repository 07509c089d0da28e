"""Which systems somebody looks at, by whatever way: their agents measure more often then."""

from collections.abc import Callable


class Attention:
    def __init__(self) -> None:
        self.on_watched: list[Callable[[frozenset[str]], None]] = []
        """Told all systems that are looked at, whenever those change."""
        self._by_way: dict[str, frozenset[str]] = {}
        self._watched: frozenset[str] = frozenset()

    def listener(self, way: str) -> Callable[[frozenset[str]], None]:
        """To be told the systems that are looked at by one way."""

        def watch(system_ids: frozenset[str]) -> None:
            self._by_way[way] = system_ids
            watched = frozenset[str]().union(*self._by_way.values())
            if watched != self._watched:
                self._watched = watched
                for listener in self.on_watched:
                    listener(watched)

        return watch
