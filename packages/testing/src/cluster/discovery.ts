import { allTypes, apiVersionOf, verbsOf, type ResourceType } from './resources.ts';

const groups = [...new Set(allTypes.map((type) => type.group))].filter((group) => group !== '');

function describeGroup(name: string): { name: string; versions: unknown[]; preferredVersion: unknown } {
  const versions = [...new Set(allTypes.filter((type) => type.group === name).map((type) => type.version))].map((version) => ({
    groupVersion: `${name}/${version}`,
    version,
  }));
  return { name, versions, preferredVersion: versions[0] };
}

/** What the paths above the resources answer, or undefined where there is nothing. */
export function discover(path: string): unknown {
  const parts = path.split('/').filter(Boolean);
  if (path === '/version' || path === '/version/') {
    return {
      major: '1',
      minor: '35',
      gitVersion: 'v1.35.4+embedded',
      gitCommit: '',
      gitTreeState: '',
      buildDate: '1970-01-01T00:00:00Z',
      goVersion: '',
      compiler: '',
      platform: 'slashtrain/embedded',
    };
  }
  if (parts[0] === 'api' && parts.length === 1) return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  if (parts[0] === 'api' && parts[1] === 'v1' && parts.length === 2) return resourceList('', 'v1');
  if (parts[0] !== 'apis') return undefined;
  if (parts.length === 1) return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(describeGroup) };
  const [, group, version] = parts;
  if (group === undefined || !groups.includes(group)) return undefined;
  if (parts.length === 2) return { kind: 'APIGroup', apiVersion: 'v1', ...describeGroup(group) };
  if (parts.length === 3 && allTypes.some((type) => type.group === group && type.version === version)) return resourceList(group, version!);
  return undefined;
}

function resourceList(group: string, version: string): unknown {
  const types = allTypes.filter((type) => type.group === group && type.version === version);
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: apiVersionOf({ group, version, plural: '', kind: '' }),
    resources: types.flatMap((type) => [entry(type), ...subresources(type)]),
  };
}

function entry(type: ResourceType): unknown {
  return {
    name: type.plural,
    singularName: type.singular,
    namespaced: type.namespaced,
    kind: type.kind,
    verbs: verbsOf(type),
    ...(type.shortNames ? { shortNames: type.shortNames } : {}),
  };
}

function subresources(type: ResourceType): unknown[] {
  const common = { singularName: '', namespaced: type.namespaced, kind: type.kind };
  return [
    ...(type.kind === 'Pod'
      ? [
          { name: 'pods/log', ...common, verbs: ['get'] },
          { name: 'pods/portforward', ...common, kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
        ]
      : []),
    ...(type.status ? [{ name: `${type.plural}/status`, ...common, verbs: ['get', 'patch', 'update'] }] : []),
  ];
}
