"""A story to look at: four pull requests and an issue, as a rehearsal leaves them."""

from __future__ import annotations

from pathlib import Path

from rehearsal.story import Check, Comment, Event, Issue, PullRequest, Story

REPORTS = Path(__file__).parent / "reports"
BOT = "github-actions[bot]"

FEATURES = """\
diff --git a/src/flight_delays/features.py b/src/flight_delays/features.py
index 3b18e51..9f2c1aa 100644
--- a/src/flight_delays/features.py
+++ b/src/flight_delays/features.py
@@ -14,6 +14,9 @@ NUMBERS = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
 def build_features(flights: pd.DataFrame) -> pd.DataFrame:
     \"\"\"Return the features of each flight.\"\"\"
     features = flights[NUMBERS].copy()
-    features["hour"] = flights["scheduled_departure"].dt.hour
+    minutes = flights["scheduled_departure"].dt.hour * 60 + flights["scheduled_departure"].dt.minute
+    # Midnight is next to midnight: an angle, not a number.
+    features["departure_sin"] = np.sin(minutes / 1440 * 2 * np.pi)
+    features["departure_cos"] = np.cos(minutes / 1440 * 2 * np.pi)
     return features
diff --git a/params.yaml b/params.yaml
index 1111111..2222222 100644
--- a/params.yaml
+++ b/params.yaml
@@ -31,3 +31,3 @@ train:
   candidates:
-    - linear
+    - boosting
   folds: 3
"""
CANDIDATES = """\
diff --git a/params.yaml b/params.yaml
index 1111111..3333333 100644
--- a/params.yaml
+++ b/params.yaml
@@ -29,7 +29,5 @@ train:
   metric: roc_auc
   candidates:
     - linear
-    - boosting
-    - forest
   folds: 3
"""
SEPTEMBER = """\
diff --git a/data.lock b/data.lock
index 5555555..6666666 100644
--- a/data.lock
+++ b/data.lock
@@ -34,3 +34,8 @@ files:
     sha256: 0202ec221774d7e5b3f9a0e4ab3c1f2b7c6d8e9fa0b1c2d3e4f5061728394a5b
     rows: 2830
+  - path: data/flights-2013-09.parquet
+    sha256: 9d8c7b6a5f4e3d2c1b0a9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a
+    rows: 2574
+    first: 2013-09-01 05:15:00
+    last: 2013-09-30 22:45:00
diff --git a/data/flights-2013-09.parquet b/data/flights-2013-09.parquet
new file mode 100644
index 0000000..7777777
Binary files /dev/null and b/data/flights-2013-09.parquet differ
"""


def tell_story() -> Story:
    """Return a story with one pull request of each kind."""
    pulls = [tell_better(), tell_worse(), tell_bad_data(), tell_fork()]
    pages = {"The last check of production": "monitoring/monitoring.html"}
    return Story("flight-delays", tell_events(), pulls, [tell_alarm()], pages)


def report(name: str) -> Comment:
    """Return the report that a workflow has posted."""
    return Comment(BOT, (REPORTS / f"{name}.md").read_text(encoding="utf-8"))


def checks(gate: str) -> list[Check]:
    """Return the checks of a pull request whose gate ended so."""
    return [
        Check("train / gate", "success" if gate == "success" else "failure"),
        Check("checks / check", "success"),
        Check("checks / audit", "skipped"),
    ]


def tell_better() -> PullRequest:
    """Return a pull request that improves the model."""
    return PullRequest(
        number=1,
        title="Tell the model that midnight is next to midnight",
        body="The hour was a number, so that 23:59 and 00:01 were far apart.\nIt is an angle.\n\n- [x] tests",
        author="ada",
        head="departure-angle",
        base="main",
        state="merged",
        commits=["Describe the departure as an angle", "Let boosting compete"],
        diff=FEATURES,
        checks=checks("success"),
        comments=[report("better"), Comment("grace", "Nice find 👍 Merging.")],
    )


def tell_worse() -> PullRequest:
    """Return a pull request that makes the model worse."""
    return PullRequest(
        number=2,
        title="Train faster with the linear model alone",
        body="Training takes long. One candidate is enough, isn't it?",
        author="linus",
        head="only-linear",
        base="main",
        state="open",
        commits=["Keep only the linear candidate"],
        diff=CANDIDATES,
        checks=checks("failure"),
        comments=[
            report("worse"),
            Comment("ada", "> One candidate is enough\n\nNot by the report: see `carrier` = `MQ`."),
        ],
    )


def tell_bad_data() -> PullRequest:
    """Return a pull request whose data break the contract."""
    return PullRequest(
        number=3,
        title="Accept the flights of September",
        body="",
        author="grace",
        head="data/2013-09",
        base="main",
        state="open",
        commits=["Accept September"],
        diff=SEPTEMBER,
        checks=checks("failure"),
        comments=[report("bad_data")],
    )


def tell_fork() -> PullRequest:
    """Return a pull request from a fork."""
    return PullRequest(
        number=4,
        title="Fix typos in the model card",
        body="First contribution, see <https://example.org/a/very/long/address/that/nobody/would/ever/type/by/hand>.",
        author="mallory",
        head="mallory:an-extraordinarily-long-branch-name-without-any-place-to-break-it-in-two",
        base="main",
        state="closed",
        commits=["Fix typos"],
        diff="",
        checks=checks("success"),
        comments=[report("fork")],
    )


def tell_alarm() -> Issue:
    """Return an issue about production."""
    return Issue(
        number=5,
        title="Production needs attention",
        body="### 🚨 The data have moved\n\n| Column | Change |\n|---|---|\n| `temp` | mean 61.2 → 38.0 |",
        author=BOT,
        state="closed",
        comments=[Comment(BOT, "It is quiet again.")],
    )


def tell_events() -> list[Event]:
    """Return what happened, in five scenes."""
    told = [
        (0.4, "first push", "baked flight-delays and pushed it to main", "📦"),
        (31.2, "first push", "train: no champion yet, compared with the baseline", "✅"),
        (44.9, "first push", "deployed version 3: one commit on production", "🚀"),
        (46.0, "better model", "ada opened #1", "🌱"),
        (78.3, "better model", "train: better than production, all gates hold", "✅"),
        (80.1, "better model", "report posted on #1 through CML", "💬"),
        (82.5, "better model", "merged #1", "🔀"),
        (84.0, "worse model", "linus opened #2", "🌱"),
        (103.7, "worse model", "train: worse than production, the gate blocks #2", "❌"),
        (105.1, "worse model", "report posted on #2 through CML", "💬"),
        (107.0, "bad data", "grace opened #3", "🌱"),
        (113.9, "bad data", "train: 3 checks of the contract fail, nothing is trained", "❌"),
        (115.2, "bad data", "report posted on #3 through CML", "💬"),
        (118.0, "fork", "mallory opened #4 from a fork", "🌱"),
        (131.4, "fork", "train: no secret and no write token in its environment", "✅"),
        (134.8, "fork", "report posted on #4 through CML", "💬"),
    ]
    return [Event(*each) for each in told]
