"""Runs with 20 metrics each as rows of an MLflow server's SQLite database: FILE EXPERIMENT RUNS. MLflow has made the tables."""

import sqlite3
import sys
import time
import uuid

file, experiment, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
database = sqlite3.connect(file, timeout=60)
now = int(time.time() * 1000)


def insert(table, rows):
    """Rows as dictionaries; columns that this version of MLflow does not have are left out."""
    known = {column[1] for column in database.execute(f"PRAGMA table_info({table})")}
    names = [name for name in rows[0] if name in known]
    places = ", ".join("?" for _ in names)
    database.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})", [[row[name] for name in names] for row in rows])


(template,) = database.execute("SELECT experiment_id FROM experiments ORDER BY experiment_id LIMIT 1").fetchone()
columns = [column[1] for column in database.execute("PRAGMA table_info(experiments)")]
values = dict(zip(columns, database.execute("SELECT * FROM experiments WHERE experiment_id = ?", [template]).fetchone()))
identifier = 1_000_001
insert("experiments", [{**values, "experiment_id": identifier, "name": experiment}])

runs, metrics, latest, parameters, tags = [], [], [], [], []
for index in range(count):
    run = uuid.UUID(int=index + 1).hex
    runs.append(
        {
            "run_uuid": run,
            "name": f"run-{index}",
            "source_type": "LOCAL",
            "source_name": "",
            "entry_point_name": "",
            "user_id": "ada",
            "status": "FINISHED",
            "start_time": now + index,
            "end_time": now + index + 1000,
            "source_version": "",
            "lifecycle_stage": "active",
            "artifact_uri": f"mlflow-artifacts:/{identifier}/{run}/artifacts",
            "experiment_id": identifier,
        }
    )
    for metric in range(20):
        row = {"key": f"metric-{metric}", "value": index / (metric + 1), "timestamp": now, "run_uuid": run, "step": 1, "is_nan": False}
        metrics.append(row)
        latest.append(row)
    parameters.extend({"key": key, "value": "0.001", "run_uuid": run} for key in ("lr", "seed", "batch"))
    tags.append({"key": "mlflow.source.git.commit", "value": f"{index:040x}", "run_uuid": run})
for table, rows in (("runs", runs), ("metrics", metrics), ("latest_metrics", latest), ("params", parameters), ("tags", tags)):
    insert(table, rows)
database.commit()
