"""
metadata.json: answers of ML Metadata, encoded by protobuf 6 from upstream's messages, as Kubeflow Pipelines 2.17.0 fills them
(backend/src/v2/metadata/client.go and converter.go).

  git -C pipelines archive 2.17.0 third_party/ml-metadata/ml_metadata | tar -x --strip-components=2
  python -m grpc_tools.protoc -I. --python_out=. ml_metadata/proto/*.proto && PYTHONPATH=. python metadata.py
"""

import base64
import json
from pathlib import Path

from google.protobuf.json_format import ParseDict
from ml_metadata.proto import metadata_store_pb2 as store
from ml_metadata.proto import metadata_store_service_pb2 as service


def value(it):
    if isinstance(it, float):
        return store.Value(double_value=it)
    if isinstance(it, int):
        return store.Value(int_value=it)
    if isinstance(it, str):
        return store.Value(string_value=it)
    key = 'list' if isinstance(it, list) else 'struct'
    made = store.Value()
    ParseDict({key: it}, made.struct_value)
    return made


def execution(number, task, state):
    return store.Execution(
        id=number, last_known_state=state, custom_properties={'task_name': value(task), 'display_name': value(task)}
    )


def artifact(number, kind, name, uri, **properties):
    all_properties = {'display_name': name, **properties}
    return store.Artifact(
        id=number, type=kind, uri=uri, custom_properties={key: value(it) for key, it in all_properties.items()}
    )


def event(execution, artifact, name, kind):
    path = store.Event.Path(steps=[store.Event.Path.Step(key=name), store.Event.Path.Step(index=0)])
    return store.Event(execution_id=execution, artifact_id=artifact, type=kind, path=path)


matrix = {
    'annotationSpecs': [{'displayName': 'cat'}, {'displayName': 'dog'}],
    'rows': [{'row': [9, 1]}, {'row': [2, 8]}],
}
curve = [
    {'confidenceThreshold': 1.0, 'recall': 0.0, 'falsePositiveRate': 0.0},
    {'confidenceThreshold': 0.5, 'recall': 0.8, 'falsePositiveRate': 0.5},
    {'confidenceThreshold': 0.0, 'recall': 1.0, 'falsePositiveRate': 1.0},
]
Execution, Event = store.Execution, store.Event
answers = {
    'GetContextByTypeAndName': service.GetContextByTypeAndNameResponse(context=store.Context(id=300, name='run')),
    'GetExecutionsByContext': service.GetExecutionsByContextResponse(
        executions=[
            execution(1, 'prepare', Execution.CACHED),
            execution(2, 'train', Execution.COMPLETE),
            execution(3, 'evaluate', Execution.COMPLETE),
        ]
    ),
    'GetArtifactsByContext': service.GetArtifactsByContextResponse(
        artifacts=[
            artifact(1, 'system.Dataset', 'data', 's3://pipelines/data', rows=100),
            artifact(2, 'system.Model', 'model', 's3://pipelines/model'),
            artifact(3, 'system.Metrics', 'metrics', 's3://pipelines/metrics', accuracy=0.93, loss=-0.5),
            artifact(4, 'system.ClassificationMetrics', 'classes', '', confusionMatrix=matrix, confidenceMetrics=curve),
            artifact(
                5,
                'system.SlicedClassificationMetrics',
                'sliced',
                '',
                evaluationSlices=[{'slice': 'small', 'sliceClassificationMetrics': {'confusionMatrix': matrix}}],
            ),
        ]
    ),
    'GetEventsByExecutionIDs': service.GetEventsByExecutionIDsResponse(
        events=[
            event(1, 1, 'data', Event.OUTPUT),
            event(2, 1, 'data', Event.INPUT),
            event(2, 2, 'model', Event.OUTPUT),
            event(2, 3, 'metrics', Event.OUTPUT),
            event(3, 2, 'model', Event.INPUT),
            event(3, 4, 'classes', Event.OUTPUT),
            event(3, 5, 'sliced', Event.OUTPUT),
        ]
    ),
}
encoded = {name: base64.b64encode(message.SerializeToString(deterministic=True)).decode() for name, message in answers.items()}
Path(__file__).with_name('metadata.json').write_text(json.dumps(encoded, indent=2) + '\n')
