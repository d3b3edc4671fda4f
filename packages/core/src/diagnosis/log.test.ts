import { describe, expect, it } from '@jest/globals';
import { readLog } from './log.ts';

// Printed by CPython 3.11.7.
const python = `Traceback (most recent call last):
  File "/tmp/tb.py", line 3, in load
    return open(path).read()
           ^^^^^^^^^^
FileNotFoundError: [Errno 2] No such file or directory: '/nowhere'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/tmp/tb.py", line 6, in <module>
    load('/nowhere')
  File "/tmp/tb.py", line 5, in load
    raise ValueError(f'no data at {path}') from error
ValueError: no data at /nowhere`;

// Printed by Node 24.21.0.
const node = `file:///tmp/tb.mjs:1
function load(path) { throw new TypeError(\`no data at \${path}\`); }
                            ^

TypeError: no data at /nowhere
    at load (file:///tmp/tb.mjs:1:29)
    at file:///tmp/tb.mjs:2:1
    at ModuleJob.run (node:internal/modules/esm/module_job:561:25)

Node.js v24.21.0`;

// From XPixelGroup/BasicSR issue 737.
const watchdog = `[rank1]:[E626 06:24:44.903881913 ProcessGroupNCCL.cpp:616] [Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=808, OpType=ALLREDUCE, NumelIn=9801523, NumelOut=9801523, Timeout(ms)=600000) ran for 600020 milliseconds before timing out.
[rank0]:[E626 06:24:44.159932949 ProcessGroupNCCL.cpp:616] [Rank 0] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=808, OpType=ALLREDUCE, NumelIn=9801523, NumelOut=9801523, Timeout(ms)=600000) ran for 600030 milliseconds before timing out.`;

// From pytorch/pytorch issue 16417.
const cuda =
  'torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 22.00 MiB. GPU 0 has a total capacity of 23.65 GiB of which 11.06 MiB is free.';

// From NVIDIA/NVSentinel issue 155.
const bus = 'NVRM: Xid (PCI:0000:44:00): 79, GPU has fallen off the bus';

describe('readLog', () => {
  it.each([
    ['a chained Python traceback', python, { reason: 'crash', message: 'ValueError: no data at /nowhere' }],
    [
      'the same with ranks',
      python.replaceAll(/^/gmu, '[rank3]: '),
      { reason: 'crash', message: 'rank 3 failed first: ValueError: no data at /nowhere' },
    ],
    // python3 -c 'assert 1==2'
    [
      'an exception without words',
      'Traceback (most recent call last):\n  File "<string>", line 1, in <module>\nAssertionError',
      { reason: 'crash', message: 'AssertionError' },
    ],
    ['an uncaught JavaScript error', node, { reason: 'crash', message: 'TypeError: no data at /nowhere' }],
    ['GPU memory', cuda, { reason: 'cuda-memory', message: cuda }],
    [
      'a collective that never came back',
      watchdog,
      { reason: 'nccl', message: expect.stringMatching(/^rank 1 failed first: \[E626.*SeqNum=808/u) as unknown as string },
    ],
    ['a GPU that is gone', bus, { reason: 'gpu-fault', message: bus }],
  ])('reads %s', (_, text, finding) => {
    expect(readLog(text.split('\n'))).toMatchObject(finding);
  });

  it('calls memory that ran out on one rank the cause of the collective that the others lost', () => {
    expect(readLog([...watchdog.split('\n'), cuda])?.reason).toBe('cuda-memory');
  });

  it('tells a GPU fault of the program from one of the hardware', () => {
    expect(readLog(['NVRM: Xid (PCI:0000:44:00): 31, pid=1, MMU Fault'])).toMatchObject({ reason: 'gpu-fault', retryable: false });
    // 45 follows from others: https://docs.nvidia.com/deploy/xid-errors
    expect(readLog(['NVRM: Xid (PCI:0000:44:00): 45, pid=1, Ch 00000010'])).toBeUndefined();
  });

  it.each([
    ['nothing', ''],
    ['progress', 'epoch 5/20: accuracy 0.9499, loss 0.1937\nslashtrain-metric {"name":"loss","value":0.1937,"step":5}'],
    [
      "PyTorch's reminder at every exit",
      '[rank0]:[W1121 11:00:00.000000000 ProcessGroupNCCL.cpp:1476] Warning: WARNING: destroy_process_group() was not called before program exit, which can leak resources.',
    ],
    ['a word about memory', 'freed memory; at epoch 3'],
  ])('finds nothing in %s', (_, text) => {
    expect(readLog(text.split('\n'))).toBeUndefined();
  });
});
