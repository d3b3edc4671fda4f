"""Trains with one seed, and leaves what it measured."""
import argparse
import json

from flats import accuracy, fit, flats

options = argparse.ArgumentParser()
options.add_argument('--seed', type=int, required=True)
options.add_argument('--epochs', type=int, required=True)
options.add_argument('--means', type=json.loads, required=True)
given = options.parse_args()


def centred(rows):
    return [([x - mean for x, mean in zip(features, given.means)], label) for features, label in rows]


weights, bias = fit(centred(flats(800, seed=1)), given.epochs, seed=given.seed)
measured = accuracy(weights, bias, centred(flats(400, seed=2)))
print(f'seed {given.seed}: accuracy {measured:.4f}')
with open('/tmp/accuracy.txt', 'w') as file:
    file.write(f'{measured:.4f}')
