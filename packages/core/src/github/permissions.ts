/**
 * Which permission of a job each request needs, by
 * https://docs.github.com/rest/authentication/permissions-required-for-github-apps. First match counts.
 */
const table: readonly (readonly [method: RegExp, route: RegExp, scope: string])[] = [
  [/GET/u, /\/check-(runs|suites)/u, 'checks: read'],
  [/./u, /\/check-(runs|suites)/u, 'checks: write'],
  [/GET/u, /\/(statuses|status)(\/|$)/u, 'statuses: read'],
  [/./u, /^\/repos\/[^/]+\/[^/]+\/statuses\//u, 'statuses: write'],
  [/GET/u, /\/deployments/u, 'deployments: read'],
  [/./u, /\/deployments/u, 'deployments: write'],
  [/GET/u, /\/commits\/[^/]+\/pulls$/u, 'pull-requests: read'],
  [/GET/u, /\/pulls(\/|$)/u, 'pull-requests: read'],
  [/./u, /\/pulls(\/|$)/u, 'pull-requests: write'],
  // Comments, reactions and labels of a pull request are an issue's: either permission does.
  [/GET/u, /\/issues\/(comments|[^/]+\/(comments|reactions|labels|events|timeline))/u, 'pull-requests: read'],
  [/./u, /\/issues\/(comments|[^/]+\/(comments|reactions|labels))/u, 'pull-requests: write'],
  [/GET/u, /\/issues(\/|$)/u, 'issues: read'],
  [/./u, /\/issues(\/|$)/u, 'issues: write'],
  [/GET/u, /\/actions\//u, 'actions: read'],
  [/./u, /\/(actions|dispatches)\//u, 'actions: write'],
  [/GET/u, /\/(contents|git|commits|compare|tarball|activity|branches)(\/|$)/u, 'contents: read'],
  [/./u, /\/(contents|git|dispatches)(\/|$)/u, 'contents: write'],
];

/**
 * The permission that a request needs, as it is written in a workflow: `checks: write`.
 * @param route a template such as `/repos/{owner}/{repo}/check-runs`, or a path
 */
export function permissionFor(method: string, route: string): string | undefined {
  return table.find(([methods, routes]) => methods.test(method) && routes.test(route))?.[2];
}

/**
 * Reads `X-Accepted-GitHub-Permissions`, GitHub's own word for it: `pull_requests=write,contents=read; issues=write`
 * (https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#resource-not-accessible).
 */
export function acceptedPermissions(header: string | undefined): string | undefined {
  if (!header) return undefined;
  const one = (pair: string): string => {
    const [name = '', level = ''] = pair.trim().split('=');
    return `${name.replaceAll('_', '-')}: ${level}`;
  };
  return header
    .split(';')
    .map((all) => all.split(',').map(one).join(', '))
    .join('" or "');
}
