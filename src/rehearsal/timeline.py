"""What happens in a rehearsal, told while it happens."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

from .story import Event

GOOD, BAD, DOUBTFUL = "✅", "❌", "⚠️"


@dataclass
class Timeline:
    """Prints what happens, and remembers it for the page."""

    started: float = field(default_factory=monotonic)
    scene: str = ""
    events: list[Event] = field(default_factory=list)
    surprises: int = 0
    """How often something else came than the scene expected."""

    def begin(self, scene: str) -> None:
        """Open a scene."""
        self.scene = scene

    def tell(self, text: str, mark: str = "") -> None:
        """Say what happened."""
        event = Event(round(monotonic() - self.started, 1), self.scene, text, mark)
        self.events.append(event)
        print(f"{event.seconds:7.1f} s  {event.scene:<12}  {mark or '  '} {text}", flush=True)

    def expect(self, holds: bool, text: str, otherwise: str) -> None:
        """Say that what had to happen did, or that it did not."""
        if holds:
            self.tell(text, GOOD)
        else:
            self.surprises += 1
            self.tell(f"Unexpected: {otherwise}", DOUBTFUL)
