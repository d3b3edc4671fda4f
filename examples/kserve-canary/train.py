"""Trains, prints what it measures, and says where the model is. This one is so small that it fits into its own address."""
import argparse
import json
import os
import urllib.parse

from flats import accuracy, fit, flats

options = argparse.ArgumentParser()
options.add_argument('--epochs', type=int, default=20)
given = options.parse_args()
held_back = flats(400, seed=2)


def told(epoch, weights, bias):
    value = {'name': 'accuracy', 'value': round(accuracy(weights, bias, held_back), 4), 'step': epoch}
    print('slashtrain-metric', json.dumps(value), flush=True)


weights, bias = fit(flats(800, seed=1), given.epochs, told=told)
model = json.dumps({'weights': [round(w, 6) for w in weights], 'bias': round(bias, 6)})
# A pod's last words are its outputs. SLASHTRAIN_ROOT is set where the demo's cluster runs it, and nowhere else.
last_words = os.environ.get('SLASHTRAIN_ROOT', '') + '/dev/termination-log'
if os.path.exists(last_words):
    with open(last_words, 'w') as file:
        json.dump({'model-uri': 'data:application/json,' + urllib.parse.quote(model)}, file)
