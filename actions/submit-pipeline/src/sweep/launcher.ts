import { ActionError } from '@slashtrain/core/action/errors';
import type { Container } from '@slashtrain/core/kinds/kind';
import type { Launcher } from './read.ts';

/** The variable with all trials' settings: a line of names, and a line of values for each trial, by tabs. */
export const tableVariable = 'SLASHTRAIN_TRIALS';

/*
 * Kubernetes gives the pods of an indexed Job one thing that differs: their index. So a trial's settings are picked within
 * its container, before its program begins, by the interpreter that the program needs anyway: of `node …` and `python …`
 * no shell is needed in the image. What is put in stands where `$(params.NAME)` stood; the kubelet, which replaces
 * `$(NAME)` of its own, leaves it as it is.
 *
 * None of these holds `$(params.` or `$$` itself: both mean something before they run.
 */

const inPython = `import os,sys
l=os.environ['${tableVariable}'].split(chr(10))
i=int(os.environ['JOB_COMPLETION_INDEX'])
p=list(zip(l[0].split(chr(9)),l[i+1].split(chr(9))))
def f(w):
 for n,v in p: w=w.replace(chr(36)+'(params.'+n+')',v)
 return w
for k,v in list(os.environ.items()):
 if k!='${tableVariable}': os.environ[k]=f(v)
print('slashtrain trial',i,*[n+'='+v for n,v in p],flush=True)
a=[f(w) for w in sys.argv[1:]]
os.execvp(a[0],a)
`;

// Loaded into the program's own process, before its first line: no process stands between it and its signals.
const inNode = `const e=process.env,l=e.${tableVariable}.split('\\n'),i=Number(e.JOB_COMPLETION_INDEX);
const n=l[0].split('\\t'),v=l[i+1].split('\\t');
const f=(w)=>n.reduce((t,m,j)=>t.split(String.fromCharCode(36)+'(params.'+m+')').join(v[j]),w);
for(const k of Object.keys(e))if(k!=='${tableVariable}')e[k]=f(e[k]);
process.argv=process.argv.map(f);
if(!e.SLASHTRAIN_TRIAL){e.SLASHTRAIN_TRIAL=String(i);console.log('slashtrain trial '+i+' '+n.map((m,j)=>m+'='+v[j]).join(' '));}
`;

/** POSIX, with nothing but what the shell itself has. @param variables whose values are filled as well */
function inShell(variables: readonly string[]): string {
  return `nl='
'
tab=$(printf '\\t')
t=$${tableVariable}
names=\${t%%"$nl"*}
i=$JOB_COMPLETION_INDEX
while [ "$i" -ge 0 ]; do t=\${t#*"$nl"}; i=$((i-1)); done
row=\${t%%"$nl"*}
fill() {
  ns=$names$tab; vs=$row$tab
  while [ -n "$ns" ]; do
    m='$''(params.'\${ns%%"$tab"*}')'; v=\${vs%%"$tab"*}; ns=\${ns#*"$tab"}; vs=\${vs#*"$tab"}; o=
    while :; do case $w in *"$m"*) o=$o\${w%%"$m"*}$v; w=\${w#*"$m"};; *) break;; esac; done
    w=$o$w
  done
}
for k in ${variables.join(' ')}; do eval "w=\\\${$k}"; fill; export "$k=$w"; done
for w do fill; set -- "$@" "$w"; shift; done
printf 'slashtrain trial %s\\n' "$JOB_COMPLETION_INDEX"
exec "$@"
`;
}

const placeholder = /\$\$|\$\(params\.([A-Za-z0-9_][A-Za-z0-9_.-]*)\)/gu;

/** The parameters that a text has a place for. */
export function placesIn(text: unknown): string[] {
  if (typeof text !== 'string') return [];
  return [...text.matchAll(placeholder)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}

/** Which of `names` a container has a place for. @throws ActionError `manifest` for a command of anything but texts */
export function placesOf({ name: container, command, args, env }: Container, names: ReadonlySet<string>): Set<string> {
  for (const [field, words] of Object.entries({ command, args })) {
    const list: unknown = words ?? [];
    if (Array.isArray(list) && list.every((word) => typeof word === 'string')) continue;
    throw new ActionError('manifest', `"${field}" of the container "${container}" is no list of texts`, {
      remedy: 'put numbers in quotes',
    });
  }
  const texts: unknown[] = [...(command ?? []), ...(args ?? []), ...(env ?? []).map(({ value }) => value)];
  return new Set(texts.flatMap(placesIn).filter((name) => names.has(name)));
}

/**
 * Puts the launcher before a container's command, which goes on as it is. Changed in place.
 * @throws ActionError `manifest` where there is no command to stand before
 */
export function launch(container: Container, launcher: Exclude<Launcher, 'none'>, names: ReadonlySet<string>): void {
  const { command = [], args = [] } = container;
  const [program] = command;
  if (program === undefined) {
    throw new ActionError('manifest', `the container "${container.name}" has no "command", and what its image runs is not known here`, {
      remedy: 'write the command out; or set launcher: none, and let the program read SLASHTRAIN_TRIALS and JOB_COMPLETION_INDEX',
    });
  }
  const used = launcher === 'auto' ? interpreterOf(program) : launcher;
  const words = [...command, ...args];
  if (used === 'node') {
    const main = words.findIndex((word, index) => index > 0 && !word.startsWith('-'));
    const early = words.slice(0, main < 0 ? words.length : main + 1).find((word) => placesIn(word).some((name) => names.has(name)));
    if (early !== undefined) {
      throw new ActionError(
        'manifest',
        `the container "${container.name}" has ${JSON.stringify(early)} before the program that node runs`,
        {
          remedy: 'put swept parameters after it; or set launcher: sh, where the image has a shell',
        },
      );
    }
    container.command = [program, '--import', `data:text/javascript,${encodeURIComponent(inNode)}`];
  } else if (used === 'python') {
    const python = interpreterOf(program) === 'python' ? program : 'python';
    container.command = [python, '-c', inPython, ...command];
  } else {
    container.command = ['sh', '-c', inShell(variablesOf(container, names)), 'sh', ...command];
  }
  if (used === 'node') container.args = words.slice(1);
}

function interpreterOf(program: string): 'node' | 'python' | 'sh' {
  const name = program.slice(program.lastIndexOf('/') + 1);
  if (/^node(js)?$/u.test(name)) return 'node';
  return /^python[0-9.]*$/u.test(name) ? 'python' : 'sh';
}

function variablesOf({ env = [], name: container }: Container, names: ReadonlySet<string>): string[] {
  const filled = env.filter(({ value }) => placesIn(value).some((name) => names.has(name))).map(({ name }) => name);
  const odd = filled.find((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/u.test(name));
  if (odd === undefined) return filled;
  throw new ActionError('manifest', `the variable ${JSON.stringify(odd)} of the container "${container}" is none that a shell can set`);
}
