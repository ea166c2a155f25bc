"""``make gallery``: the model cards of both default projects, for readers of this repository."""

from __future__ import annotations

import shutil

from .bake import PROBLEMS, ROOT, commit, refresh, run

PROJECT = ROOT / "gallery" / "flight-delays"
CARDS = ROOT / "model_cards"


def main() -> None:
    """Bake and run both problems, one after the other in one environment; keep their cards."""
    for problem in PROBLEMS:
        if refresh(PROJECT, problem=problem):
            commit(PROJECT, f"Bake a {problem} project")
        run(PROJECT, "make", "--no-print-directory", "run")
        card = CARDS / f"flight-delays-{problem}.md"
        shutil.copy(PROJECT / "build" / "model_card.md", card)
        print(card.relative_to(ROOT))


if __name__ == "__main__":
    main()
