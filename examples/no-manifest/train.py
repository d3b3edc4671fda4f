"""Trains and prints what it measures: one line a metric is how metrics leave a pod."""
import argparse
import json
import math
import random


def flats(count, seed):
    """Made-up flats: square metres, age in years, and whether each was sold within a month."""
    numbers = random.Random(seed)
    rows = []
    for _ in range(count):
        size, age = numbers.uniform(20, 150), numbers.uniform(0, 80)
        wanted = 0.04 * size - 0.05 * age + numbers.gauss(0, 0.5)
        rows.append(([size / 150, age / 80], 1 if wanted > 1 else 0))
    return rows


def fit(rows, epochs, rate=0.5, seed=0, told=None):
    """Logistic regression by stochastic gradient descent."""
    order = random.Random(seed)
    rows, weights, bias = list(rows), [0.0, 0.0], 0.0
    for epoch in range(1, epochs + 1):
        order.shuffle(rows)
        for features, label in rows:
            error = probability(weights, bias, features) - label
            weights = [w - rate * error * x for w, x in zip(weights, features)]
            bias -= rate * error
        if told:
            told(epoch, weights, bias)
    return weights, bias


def probability(weights, bias, features):
    return 1 / (1 + math.exp(-(bias + sum(w * x for w, x in zip(weights, features)))))


def accuracy(weights, bias, rows):
    return sum((probability(weights, bias, features) > 0.5) == (label == 1) for features, label in rows) / len(rows)


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--epochs', type=int, default=20)
    epochs = options.parse_args().epochs
    held_back = flats(400, seed=2)

    def told(epoch, weights, bias):
        value = {'name': 'accuracy', 'value': round(accuracy(weights, bias, held_back), 4), 'step': epoch}
        print('slashtrain-metric', json.dumps(value), flush=True)

    fit(flats(800, seed=1), epochs, told=told)


if __name__ == '__main__':
    main()
