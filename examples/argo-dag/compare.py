"""Takes what all seeds measured together: the mean is what the pull request is judged by."""
import json
import sys

measured = [float(value) for value in json.loads(sys.argv[1])]
for step, value in enumerate(measured, start=1):
    print(f'seed {step}: {value}')
mean = sum(measured) / len(measured)
for name, value in {'accuracy': mean, 'spread': max(measured) - min(measured)}.items():
    print('slashtrain-metric', json.dumps({'name': name, 'value': round(value, 4)}), flush=True)
