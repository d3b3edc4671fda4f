import { parseArgs } from 'node:util';

/** What `pnpm demo` was asked for. */
export interface DemoOptions {
  /** Ends when the story is told, instead of leaving the pages there until Ctrl-C. */
  once: boolean;
  /** A cluster of the user's own; the embedded one where not given. */
  real?: { context: string; registry: string; kubeconfig?: string; base: string };
}

export const usage = `pnpm demo [--once] [--context NAME --registry HOST [--kubeconfig PATH] [--base IMAGE]]

Tells the story of two pull requests on this machine: a small GitHub, a small registry and a small
cluster, with the bundles and the workflow file that users copy. It needs Node and nothing else.

  --once             end when the story is told; without a terminal it always does
  --context NAME     run the trainings on the cluster of this kubeconfig context
  --registry HOST    with --context: a registry that this machine pushes to and the cluster pulls from
  --kubeconfig PATH  with --context: the kubeconfig; ~/.kube/config where not given
  --base IMAGE       with --context: an image that has Node; HOST/node:24 where not given
  --help             this text

KUBECONFIG is ignored: no cluster is touched that is not named by --context.
`;

/** What a person wrote that cannot be used. */
export class UsageError extends Error {}

/**
 * Reads the command line.
 * @param isTerminal whether somebody is there to press Ctrl-C
 * @returns 'help' where that was asked for
 * @throws UsageError
 */
export function readOptions(args: readonly string[], isTerminal: boolean): DemoOptions | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const { context, registry, kubeconfig, base } = values;
  const once = values.once ?? !isTerminal;
  if (context === undefined) {
    for (const [name, value] of Object.entries({ registry, kubeconfig, base })) {
      if (value !== undefined) throw new UsageError(`--${name} means nothing without --context`);
    }
    return { once };
  }
  if (registry === undefined) throw new UsageError('--context needs --registry: the cluster pulls the images from there');
  return { once, real: { context, registry, base: base ?? `${registry}/node:24`, ...(kubeconfig !== undefined && { kubeconfig }) } };
}

function parse(args: readonly string[]): ReturnType<typeof read> {
  try {
    // pnpm hands "--" on where somebody wrote it.
    return read(args.filter((argument, index) => argument !== '--' || index > 0));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function read(args: string[]) {
  return parseArgs({
    args,
    allowPositionals: false,
    options: {
      once: { type: 'boolean' },
      context: { type: 'string' },
      registry: { type: 'string' },
      kubeconfig: { type: 'string' },
      base: { type: 'string' },
      help: { type: 'boolean' },
    },
  }).values;
}
