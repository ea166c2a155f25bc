"""What a data scientist would write by hand: the yardstick of ``make bench``.

Run in the folder of a baked project. It does what ``mlops run`` does with one boosting
candidate, on the same rows, and nothing more: no tracking, no intervals, no report.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import skops.io
from flight_delays.models import candidates
from flight_delays.schema import Contract
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    roc_auc_score,
)

flights = pd.concat([pd.read_parquet(path) for path in sorted(Path("data").glob("*.parquet"))])
flights = Contract.validate(flights, lazy=True).sort_values("scheduled_departure")
departure = flights["scheduled_departure"]
held_out = departure >= departure.max() - pd.Timedelta(days=60)
features, late = flights.drop(columns=["flight_id", "late"]), flights["late"]

model = candidates(seed=2013)["boosting"].fit(features[~held_out], late[~held_out])
probability = model.predict_proba(features[held_out])[:, 1]
label, truth = probability > 0.5, late[held_out]
print("roc_auc", roc_auc_score(truth, probability))
print("average_precision", average_precision_score(truth, probability))
print("log_loss", log_loss(truth, probability))
print("brier", brier_score_loss(truth, probability))
print("f1", f1_score(truth, label))
print("balanced_accuracy", balanced_accuracy_score(truth, label))
Path("build").mkdir(exist_ok=True)
skops.io.dump(model, "build/bare.skops")
