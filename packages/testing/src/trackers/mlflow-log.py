"""Logs runs with MLflow's own client: a list of runs as JSON on stdin, their ids as JSON on stdout.

A run: {"experiment", "context" (tags by MLFLOW_RUN_CONTEXT, as in a pod), "parameters", "metrics" ({name: [[step, value], …]}),
"status", "model" ({"name", "alias"})}. Values may be the texts NaN, Infinity, -Infinity.
"""

import json
import os
import sys

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param

client = MlflowClient()
ids = []
for run in json.load(sys.stdin):
    mlflow.set_experiment(run["experiment"])
    os.environ["MLFLOW_RUN_CONTEXT"] = json.dumps(run.get("context", {}))
    active = mlflow.start_run(run_name=run.get("name"))
    run_id = active.info.run_id
    points = [
        Metric(name, float(value), 1700000000000 + step, step) for name, curve in run.get("metrics", {}).items() for step, value in curve
    ]
    for start in range(0, len(points), 1000):
        client.log_batch(run_id, metrics=points[start : start + 1000])
    client.log_batch(run_id, params=[Param(name, value) for name, value in run.get("parameters", {}).items()])
    if "model" in run:
        name, alias = run["model"]["name"], run["model"]["alias"]
        try:
            client.create_registered_model(name)
        except mlflow.exceptions.MlflowException:
            pass
        version = client.create_model_version(name, f"runs:/{run_id}/model", run_id)
        client.set_registered_model_alias(name, alias, version.version)
    status = run.get("status", "FINISHED")
    if status == "RUNNING":
        mlflow.tracking.fluent._active_run_stack.set([])
    else:
        mlflow.end_run(status)
    ids.append(run_id)
json.dump(ids, sys.stdout)
