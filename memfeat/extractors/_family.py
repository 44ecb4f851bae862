"""A family whose networks are a table of releases; a frame selection may follow each name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from memfeat.extractors._names import selection_of
from memfeat.frame_selection import FrameSelection
from memfeat.network_extractor import NetworkExtractor, NetworkFamily

Make = Callable[[str, FrameSelection], NetworkExtractor]


class Releases(NetworkFamily):
    """The networks of a table.

    Parameters
    ----------
    summary
        One sentence for listings.
    bases
        Names without a frame selection.
    usual
        The selection that a name without one means.
    make
        Makes a network from its base and its selection.
    aliases
        Short names.
    """

    def __init__(
        self,
        summary: str,
        bases: Iterable[str],
        usual: FrameSelection,
        make: Make,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self.summary = summary
        self._bases = sorted(bases, key=lambda base: (-len(base), base))
        self._usual = usual
        self._make = make
        self._aliases = dict(aliases or {})

    def names(self) -> list[str]:
        """Return the names without a frame selection, sorted."""
        return sorted(self._bases)

    def aliases(self) -> Mapping[str, str]:
        """Return the short names."""
        return self._aliases

    def make(self, name: str) -> NetworkExtractor | None:
        """Return the network of a name, or None."""
        for base in self._bases:  # the longest first: one name may begin as another
            selection = selection_of(name, base, self._usual)
            if selection is not None:
                network = self._make(base, selection)
                return network if network.clips or selection.kind != "windows" else None
        return None
