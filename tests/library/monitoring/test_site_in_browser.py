"""The pages about production in a browser: on a phone, in light and dark, asking nobody for anything."""

from __future__ import annotations

from pathlib import Path

import pytest

import checks
from browsing import CHROMIUM, listen, measure_frames, read_console
from gitops_ml.core.records import Estimate
from gitops_ml.monitoring.check.records import MonitoringRecord
from gitops_ml.monitoring.site.site import render_site
from gitops_ml.monitoring.site.timeline import Timeline, order_steps
from gitops_ml.production.branch import Score

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium, which 'make test' installs")

CARD = """\
# {name}

> [!WARNING]
> {name}

![{name}](ORIGIN/image.png) <img src="ORIGIN/img.png" onerror="alert(1)"> [{name}](javascript:alert(2))

<link rel="stylesheet" href="ORIGIN/css"><script src="ORIGIN/script"></script>
<style>@import "ORIGIN/style";</style>
<iframe src="ORIGIN/frame"></iframe><meta http-equiv="refresh" content="0; url=ORIGIN/meta">

| {name} | b | c | d |
| --- | --- | --- | --- |
| `{name}` | {name} | 2013-01-01T05:15:00 | 1 |

```
{name}
```

<details>
<summary> Click to expand </summary>

{name}

</details>
"""
HOSTILE = '"></p><img src=ORIGIN/a onerror=alert(3)><script>alert(4)</script><style>*{{}}</style>'


def render(folder: Path, name: str, card: str) -> list[Path]:
    """Return the pages of a site whose names are all ``name``, or ordinary ones where it is empty."""
    timeline = checks.make_timeline()
    if name:
        timeline = rename(timeline, name)
    folder.mkdir()
    for file, text in render_site(timeline._replace(cards={1: card, 2: card})).items():
        (folder / file).write_text(text, encoding="utf-8")
    return sorted(folder.iterdir())


def rename(timeline: Timeline, name: str) -> Timeline:
    """Return a site's content in which a name stands wherever a project has a word of its own."""
    record = checks.poison(checks.make_record().model_dump(), name, frozenset({"time"}))
    drift = {"log": {name: (0.5, 0.1)}, "files": {name: (0.5, 0.1)}}
    changes = {"drift": drift, "metrics": {name: (0.5, 0.4, 0.6)}}
    score = Score(metric=name, estimate=Estimate(value=0.4, low=0.3, high=0.5))
    state = {"score": score, "image": name, "commit": name, "run_key": name}
    history = [checks.make_deployment(2, 10, name, **state), checks.make_deployment(1, 5, name, **state)]
    return timeline._replace(
        record=MonitoringRecord.model_validate(record),
        checks=[check.model_copy(update=changes) for check in checks.make_checks()],
        steps=order_steps(history),
        accepted=[one._replace(subject=name) for one in timeline.accepted],
    )


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["", "w" * 300, "two words " * 30])
def test_nothing_sticks_out(name: str, width: int, tmp_path: Path) -> None:
    """On a phone and on a wide screen no name, table or chart makes a page wider than its window."""
    pages = render(tmp_path / "site", name, CARD.format(name=name or "Late flights"))
    assert ["index.html", "model-1.html", "model-2.html", "monitoring.html"] == [page.name for page in pages]
    found = measure_frames(pages, width, tmp_path / "home")
    assert width >= max(wide for wide, _ in found)


@pytest.mark.parametrize(
    ("scheme", "paper"), [("light", "rgb(247, 247, 245)"), ("dark", "rgb(15, 18, 22)")], ids=["light", "dark"]
)
def test_pages_suit_light_and_dark(scheme: str, paper: str, tmp_path: Path) -> None:
    """Each page follows what its reader prefers."""
    pages = render(tmp_path / "site", "", CARD.format(name="Late flights"))
    found = measure_frames(pages, 800, tmp_path / "home", scheme)
    assert [paper] * len(pages) == [colour for _, colour in found]


def test_hostile_names_run_and_ask_nothing(tmp_path: Path) -> None:
    """Whatever names hold, the console stays silent and nobody is asked for anything."""
    with listen() as (origin, asked):
        name = HOSTILE.replace("ORIGIN", origin)
        card = CARD.format(name=name).replace("ORIGIN", origin)
        pages = render(tmp_path / "site", name, card)
        assert [] == [line for page in pages for line in read_console(page, tmp_path / "home")]
    assert [] == asked


def test_console_tells_what_a_policy_refuses(tmp_path: Path) -> None:
    """The test above could fail: a page that loads something is heard of."""
    page = tmp_path / "page.html"
    policy = '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">'
    with listen() as (origin, _):
        page.write_text(f'{policy}<img src="{origin}/a">', encoding="utf-8")
        assert 1 == len(read_console(page, tmp_path / "home"))
