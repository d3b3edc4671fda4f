"""The compiled pipelines beside this file, by the package kfp 2.17.0 of PyPI: python pipelines.py"""

from pathlib import Path

from kfp import compiler, dsl
from kfp.dsl import ClassificationMetrics, Dataset, Input, Metrics, Model, Output

folder = Path(__file__).parent


@dsl.component(base_image='python:3.11')
def prepare(rows: int, data: Output[Dataset]):
    Path(data.path).write_text('x' * rows)


@dsl.component(base_image='python:3.11')
def train(
    data: Input[Dataset],
    epochs: int,
    rate: float,
    layers: list,
    options: dict,
    shuffle: bool,
    note: str,
    model: Output[Model],
    metrics: Output[Metrics],
) -> float:
    metrics.log_metric('accuracy', 0.93)
    return 0.93


@dsl.component(base_image='python:3.11')
def evaluate(model: Input[Model], classes: Output[ClassificationMetrics]):
    classes.log_confusion_matrix(['cat', 'dog'], [[9, 1], [2, 8]])
    classes.log_roc_curve([0.0, 0.5, 1.0], [0.0, 0.8, 1.0], [1.0, 0.5, 0.0])


@dsl.pipeline(name='digits')
def digits(
    name: str,
    epochs: int = 3,
    rate: float = 0.1,
    layers: list = [64],
    options: dict = {'optimizer': 'adam'},
    shuffle: bool = True,
):
    data = prepare(rows=100)
    trained = train(
        data=data.outputs['data'], epochs=epochs, rate=rate, layers=layers, options=options, shuffle=shuffle, note=name
    )
    trained.set_accelerator_type('nvidia.com/gpu').set_accelerator_limit(1).set_cpu_limit('2').set_memory_limit('4G')
    trained.set_caching_options(False)
    evaluate(model=trained.outputs['model'])


@dsl.component(base_image='python:3.11')
def one(seed: int) -> float:
    return seed / 10


@dsl.pipeline(name='seeds')
def seeds(count: int = 2):
    with dsl.ParallelFor([1, 2, 3], parallelism=2) as seed:
        one(seed=seed).set_accelerator_type('nvidia.com/gpu').set_accelerator_limit(2)


compiler.Compiler().compile(digits, str(folder / 'digits.yaml'))
compiler.Compiler().compile(seeds, str(folder / 'seeds.yaml'))
