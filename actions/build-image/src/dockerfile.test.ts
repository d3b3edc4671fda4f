import { describe, expect, it } from '@jest/globals';
import { imagesOf } from './dockerfile.ts';

describe('the images that a Dockerfile names', () => {
  it.each<[string, string, string[], string[]]>([
    ['one', 'FROM python:3.12', ['python:3.12'], []],
    ['nothing', 'FROM scratch\nCOPY . .', [], []],
    ['stages', 'FROM a AS one\nFROM b as Two\nCOPY --from=one x .\nCOPY --from=two x .\nCOPY --from=0 x .\nFROM one', ['a', 'b'], []],
    ['a copy from elsewhere', 'FROM a\nCOPY --chown=1 --from=ghcr.io/x/y:1 /x /x', ['a', 'ghcr.io/x/y:1'], []],
    ['a mount', 'FROM a\nRUN --mount=type=bind,from=tools:1,target=/t --mount=type=cache,target=/c true', ['a', 'tools:1'], []],
    ['a platform', 'FROM --platform=$BUILDPLATFORM a AS x', ['a'], []],
    ['an argument with a default', 'ARG V=3.12\nARG N="python"\nFROM ${N}:$V', ['python:3.12'], []],
    ['an argument of ours', 'ARG BASE\nFROM $BASE', ['given:1'], []],
    ['an argument of an argument', 'ARG A=1\nARG B=x-$A\nFROM img:$B', ['img:x-1'], []],
    ['forms of arguments', 'ARG A\nFROM x:${A:-1}\nFROM y${BASE:+-gpu}', ['x:1', 'y'], []],
    ['forms of arguments', 'ARG A\nARG BASE\nFROM x:${A:-1}\nFROM y${BASE:+-gpu}\nFROM z${A:+-gpu}', ['x:1', 'y-gpu', 'z'], []],
    ['an argument without a value', 'ARG A\nFROM img:$A', [], ['img:$A']],
    ['an argument of a later stage', 'FROM a\nARG T=1\nCOPY --from=img:$T x y', ['a'], ['img:$T']],
    ['comments, long lines and directives', '# syntax=docker/dockerfile:1\n# FROM no\nFROM \\\n# between\n  a:1 \\\n  AS x', ['a:1'], []],
    ['another sign for going on', '# escape=`\nFROM `\n a', ['a'], []],
    ['a here-document', 'FROM a\nRUN <<EOF\nFROM no\nEOF\nFROM b', ['a', 'b'], []],
    ['line ends of Windows, small letters', '\ufefffrom a\r\ncopy --from=b x y\r\n', ['a', 'b'], []],
    ['nothing at all', '', [], []],
  ])('%s', (_name, text, images, unknown) => {
    expect(imagesOf(text, new Map([['BASE', 'given:1']]))).toEqual({ images, unknown });
  });
});
