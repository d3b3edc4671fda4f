import { describe, expect, it } from '@jest/globals';
import { parseCommand } from './command.ts';

describe('a command', () => {
  it.each<[string, string[]]>([
    ['python train.py --epochs 20', ['python', 'train.py', '--epochs', '20']],
    ['python train.py \\\n  --epochs 20\n', ['python', 'train.py', '--epochs', '20']],
    [`python -c 'print("a b")' "it's \\"so\\""`, ['python', '-c', 'print("a b")', 'it\'s "so"']],
    [`a'b c'"d e"\\ f ''`, ['ab cd e f', '']],
    ['train --lr=$(params.lr) --out /out/$(SLASHTRAIN_RUN)', ['train', '--lr=$(params.lr)', '--out', '/out/$(SLASHTRAIN_RUN)']],
    [`sh -c 'a | b > $HOME'`, ['sh', '-c', 'a | b > $HOME']],
    ['[python, train.py, "--lr", 1.10]', ['python', 'train.py', '--lr', '1.10']],
    ['- sh\n- -c\n- a && b\n', ['sh', '-c', 'a && b']],
    ['-v', ['-v']],
  ])('%s', (text, words) => {
    expect(parseCommand(text)).toEqual(words);
  });

  it.each<[string, RegExp]>([
    ['a | b', /has "\|", which only a shell understands/u],
    ['a && b', /has "&"/u],
    ['echo $HOME', /has "\$"/u],
    ['echo $(date +%s)', /has "\$"/u],
    ['echo "open', /has "\\""/u],
    ['echo `date`', /has "`"/u],
    ['[a, {b: c}]', /allowed: a line, or a YAML list of texts/u],
    ['[a', /allowed: a line, or a YAML list of texts/u],
  ])('%s is refused', (text, words) => {
    expect(() => parseCommand(text)).toThrow(words);
  });
});
