# Makes scipy.json:
#   pip install scipy==1.17.1 numpy==2.4.6 && python scipy.expected.py > scipy.json
# p: scipy.stats.permutation_test over all assignments of the rank sum (ties by mid-ranks).
# interval: all shifts that this very test does not reject (for samples without ties), which is what R's wilcox.test gives.
import itertools, json, sys
import numpy as np, scipy
from scipy.stats import permutation_test, rankdata, bootstrap, mannwhitneyu

def u(x, y, axis=-1):
    xy = np.concatenate([x, y], axis=axis)
    r = rankdata(xy, axis=axis)
    n = x.shape[axis]
    return np.take(r, range(n), axis=axis).sum(axis=axis) - n * (n + 1) / 2

def p(x, y):
    return float(permutation_test((x, y), u, permutation_type='independent', n_resamples=np.inf, vectorized=True, alternative='two-sided').pvalue)

def interval(x, y, confidence):
    d = np.sort(np.subtract.outer(x, y).ravel())
    kept = []
    edges = np.concatenate([[d[0] - 1], (d[1:] + d[:-1]) / 2, [d[-1] + 1]])
    for i, s in enumerate(edges):
        if mannwhitneyu(x - s, y, method='exact').pvalue > 1 - confidence:
            kept.append(i)
    return [float(d[kept[0] - 1]), float(d[kept[-1]])]

rng = np.random.default_rng(9)
cases = []
def case(name, x, y, confidence=0.95, ci=True):
    x, y = np.array(x, float), np.array(y, float)
    c = {'name': name, 'candidate': x.tolist(), 'baseline': y.tolist(), 'confidence': confidence, 'p': p(x, y),
         'estimate': float(np.median(np.subtract.outer(x, y)))}
    if ci: c['interval'] = interval(x, y, confidence)
    cases.append(c)
case('four a side, apart', [0.95, 0.951, 0.953, 0.954], [0.91, 0.92, 0.93, 0.935])
case('four a side, mixed', [0.95, 0.92, 0.91, 0.96], [0.93, 0.94, 0.925, 0.915])
case('five a side, 0.99', [5.1, 5.3, 5.2, 5.5, 5.4], [4.1, 4.3, 4.25, 4.5, 4.45], 0.99)
case('six and eight', rng.normal(1, .1, 6).round(4), rng.normal(0.9, .1, 8).round(4))
case('ten and five, 0.9', rng.normal(0, 1, 10).round(4), rng.normal(0.5, 1, 5).round(4), 0.9)
case('ties across', [1, 2, 2, 3, 4], [2, 3, 3, 5, 5], ci=False)
case('many ties', [1, 1, 1, 2, 2, 2], [2, 2, 2, 2, 3, 3], ci=False)
case('ties, other sizes', [1, 1, 1, 2], [1, 2, 2, 3, 3, 3], ci=False)
case('ties, other sizes, the other way', [3, 3, 3, 2, 2, 1], [1, 1, 1, 2], ci=False)
case('ties within one side', [1, 1, 1, 1, 7], [2, 3, 4, 5, 6, 8], ci=False)
json.dump({'scipy': scipy.__version__, 'numpy': np.__version__, 'cases': cases}, sys.stdout, indent=1)
