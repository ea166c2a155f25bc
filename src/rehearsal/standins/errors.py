"""How a stand-in fails."""


class StandInError(Exception):
    """The real one would fail too, or does what the stand-in cannot."""
