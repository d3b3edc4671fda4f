"""digits.v1.yaml, by the package kfp 1.8.22 of PyPI: python old.py"""

from pathlib import Path

from kfp import components, compiler, dsl


def train(epochs: int) -> float:
    return 0.93


@dsl.pipeline(name='digits')
def digits(epochs: int = 3):
    components.create_component_from_func(train, base_image='python:3.7')(epochs)


compiler.Compiler().compile(digits, str(Path(__file__).parent / 'digits.v1.yaml'))
