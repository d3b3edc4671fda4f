import { ActionError } from '../action/errors.ts';
import { understanding } from './http.ts';
import {
  addAliases,
  artifactCreatedBy,
  artifactMembershipByName,
  deleteAliases,
  fetchLinkedArtifacts,
  fetchOrgInfoFromEntity,
  linkArtifact,
  runOutputArtifacts,
  updateArtifact,
} from './wandb-artifact-operations.ts';
import { askWandb, wandbServer, type WandbOptions } from './wandb.ts';

/** What versions of a model are collected in: one of a registry, of a project's own, or the sequence that its runs log to. */
export interface WandbCollection {
  entity: string;
  project: string;
  name: string;
}

/** One version of a collection. */
export interface WandbVersion {
  collection: WandbCollection;
  /** `v3` */
  version: string;
  artifactId: string;
  /** Whether it was linked there; else it is where a run logged it. */
  isLinked: boolean;
}

/** An artifact of type `model` as a run logged it. */
export interface LoggedModel {
  artifactId: string;
  /** Of its sequence. */
  name: string;
  /** 3 of `v3` */
  index: number;
}

/**
 * W&B's registry: collections of an organization to which artifacts of runs are linked, with aliases. The operations are those of
 * W&B's own public client (https://github.com/wandb/wandb/blob/v0.22.3/wandb/sdk/artifacts/artifact.py); no real server has answered
 * them yet. Every write may be sent twice.
 */
export interface WandbRegistry {
  readonly url: string;
  /** The collection of `[[ENTITY/]PROJECT/]NAME`, as W&B's client takes it, by default of the organization's registry "model". */
  collection(path: string): Promise<WandbCollection>;
  /** By `wandb-artifact://[[ENTITY/]PROJECT/]NAME:ALIAS` or `…:vN`. @throws ActionError `input`, `not-found` */
  find(uri: string): Promise<WandbVersion>;
  /** What an alias or `vN` names, if anything. */
  at(collection: WandbCollection, which: string): Promise<WandbVersion | undefined>;
  /** The whole models that a run of the project logged. */
  models(run: string): Promise<LoggedModel[]>;
  /** The run that logged an artifact, if one did. */
  maker(artifactId: string): Promise<{ entity: string; project: string; run: string } | undefined>;
  /** Puts an artifact into a collection, unless it is there. */
  link(artifactId: string, collection: WandbCollection): Promise<WandbVersion>;
  setAlias(collection: WandbCollection, alias: string, version: string): Promise<void>;
  /** Takes an alias away; none is no error. */
  dropAlias(collection: WandbCollection, alias: string): Promise<void>;
  /** Puts tags `NAME-VALUE` on a version in the place of others of that name. */
  tag(version: Pick<WandbVersion, 'collection' | 'version'>, tags: Readonly<Record<string, string>>): Promise<void>;
}

const scheme = 'wandb-artifact://';
// https://docs.wandb.ai/guides/core/registry/: what an organization's registries are as projects.
const registryPrefix = 'wandb-registry-';
const pageSize = 50;

export function openWandbRegistry(options: WandbOptions & { entity: string; project: string }): WandbRegistry {
  const { entity, project } = options;
  const json = wandbServer(options);
  const ask = <T extends object>(what: string, query: string, variables: object): Promise<Partial<T>> =>
    askWandb<T>(json, what, query, variables);

  const organizations = async (): Promise<Organization[]> => {
    const { entity: found } = await ask<{ entity: Entity | null }>(entity, fetchOrgInfoFromEntity, { entity });
    return [found?.organization, ...(found?.user?.organizations ?? [])].flatMap((one) => (one?.orgEntity ? [one] : []));
  };
  /** An organization's registries are those of an entity of its own, which has another name. */
  const organizationOf = async (given: string | undefined): Promise<string> => {
    const found = (await organizations()).filter(
      ({ name, orgEntity }) => given === undefined || name === given || orgEntity?.name === given,
    );
    const [only, ...more] = [...new Set(found.map(({ orgEntity }) => orgEntity?.name ?? ''))];
    if (only !== undefined && more.length === 0) return only;
    const which = given === undefined ? '' : ` named "${given}"`;
    throw new ActionError('not-found', `W&B knows ${more.length === 0 ? 'no' : 'more than one'} organization${which} of "${entity}"`, {
      remedy: `name it with the collection: ORGANIZATION/${registryPrefix}model/NAME; and check WANDB_ENTITY and WANDB_API_KEY`,
    });
  };

  const membership = async (collection: WandbCollection, which: string): Promise<Membership | undefined> => {
    const name = `${collection.name}:${which}`;
    const variables = { entity: collection.entity, project: collection.project, name };
    const what = `${pathOf(collection)}:${which}`;
    const { project: found } = await ask<{ project: { artifactCollectionMembership?: Membership | null } | null }>(
      what,
      artifactMembershipByName,
      variables,
    );
    if (found) return found.artifactCollectionMembership ?? undefined;
    throw new ActionError('not-found', `W&B has no project ${collection.entity}/${collection.project}, or the key may not read it`, {
      remedy: 'check input "registered-model", WANDB_ENTITY and WANDB_API_KEY',
    });
  };
  const existing = async (collection: WandbCollection, which: string): Promise<Membership> => {
    const found = await membership(collection, which);
    if (found) return found;
    throw new ActionError('not-found', `${pathOf(collection)} on ${json.url} has no version or alias "${which}"`, {
      remedy: 'deploy a run with this alias first, or name a version that is there',
    });
  };
  const aliasInput = ({ entity: entityName, project: projectName, name }: WandbCollection, alias: string, artifactID: string): object => ({
    input: { artifactID, aliases: [{ entityName, projectName, artifactCollectionName: name, alias }] },
  });

  const registry: WandbRegistry = {
    url: json.url,

    async collection(path) {
      const [name = '', inProject = `${registryPrefix}model`, prefix] = path.split('/').toReversed();
      if (!inProject.startsWith(registryPrefix)) return { entity: prefix ?? entity, project: inProject, name };
      return { entity: await organizationOf(prefix), project: inProject, name };
    },

    async find(uri) {
      const [, path = '', which = ''] = /^wandb-artifact:\/\/((?:[^/:?#]+\/){0,2}[^/:?#]+):([^/:]+)$/u.exec(uri) ?? [];
      if (path === '') {
        throw new ActionError('input', `${JSON.stringify(uri.slice(0, 200))} names no version of a collection of W&B's`, {
          remedy: `write ${scheme}NAME:ALIAS, ${scheme}NAME:v3 or ${scheme}ENTITY/PROJECT/NAME:v3`,
        });
      }
      return versionIn(await existing(await registry.collection(path), which));
    },

    async at(collection, which) {
      const found = await membership(collection, which);
      return found && versionIn(found);
    },

    async models(run) {
      const found: LoggedModel[] = [];
      for (let cursor: string | null = null, more = true; more;) {
        const variables = { entity, project, runName: run, cursor, perPage: pageSize };
        const what = `${entity}/${project}/${run}`;
        const answer: Partial<{ project: RunOutputs | null }> = await ask<{ project: RunOutputs | null }>(
          what,
          runOutputArtifacts,
          variables,
        );
        const page = answer.project?.run?.artifacts;
        for (const { node } of page?.edges ?? []) {
          if (node.artifactType?.name !== 'model' || node.state !== 'COMMITTED' || !node.artifactSequence) continue;
          found.push({ artifactId: node.id, name: node.artifactSequence.name, index: node.versionIndex ?? 0 });
        }
        cursor = page?.pageInfo?.endCursor ?? null;
        more = page?.pageInfo?.hasNextPage === true && cursor !== null;
      }
      return found;
    },

    async maker(artifactId) {
      const { artifact } = await ask<{ artifact: { createdBy?: Maker | null } | null }>(artifactId, artifactCreatedBy, { id: artifactId });
      const { name: run, project: of } = artifact?.createdBy ?? {};
      return run === undefined || !of ? undefined : { entity: of.entity.name, project: of.name, run };
    },

    async link(artifactId, collection) {
      const { artifact } = await ask<{ artifact: Links | null }>(artifactId, fetchLinkedArtifacts, { artifactID: artifactId });
      const there = artifact?.artifactMemberships?.edges?.find(({ node }) => pathOf(collectionOf(node)) === pathOf(collection));
      let index = there?.node.versionIndex;
      if (index === undefined) {
        const { entity: entityName, project: projectName, name: artifactPortfolioName } = collection;
        const input = { artifactID: artifactId, artifactPortfolioName, entityName, projectName, aliases: [] };
        const answer = await ask<{ linkArtifact: { versionIndex?: number } | null }>(pathOf(collection), linkArtifact, { input });
        index = answer.linkArtifact?.versionIndex;
      }
      if (index === undefined) throw new ActionError('unreachable', `W&B did not say as which version it linked to ${pathOf(collection)}`);
      return { collection, version: `v${index}`, artifactId, isLinked: true };
    },

    async setAlias(collection, alias, version) {
      const { artifact } = await existing(collection, version);
      const what = `${pathOf(collection)}:${alias}`;
      const { addAliases: done } = await ask<{ addAliases: Done }>(what, addAliases, aliasInput(collection, alias, artifact?.id ?? ''));
      // In a collection an alias names one version: W&B takes it from the one before.
      const now = await registry.at(collection, alias);
      if (done?.success === true && now?.version === version) return;
      throw new ActionError('conflict', `the alias ${what} was to name ${version} and names ${now?.version ?? 'nothing'}`, {
        remedy: 'check that the key may change aliases there; W&B lets admins alone move protected ones',
      });
    },

    async dropAlias(collection, alias) {
      const found = await membership(collection, alias);
      if (!found) return;
      await ask(`${pathOf(collection)}:${alias}`, deleteAliases, aliasInput(collection, alias, found.artifact?.id ?? ''));
    },

    async tag({ collection, version }, tags) {
      const { artifact } = await existing(collection, version);
      const wanted = Object.entries(tags).map(([name, value]) => ({ start: `${name}-`, tagName: tagOf(`${name}-${value}`) }));
      const has = (artifact?.tags ?? []).map(({ name }) => name);
      const isOld = (name: string): boolean => wanted.some(({ start, tagName }) => name.startsWith(start) && name !== tagName);
      const input = {
        artifactID: artifact?.id ?? '',
        // Whole and as they were, as W&B's client sends them with any change.
        ...(artifact?.description ? { description: artifact.description } : {}),
        ...(artifact?.metadata ? { metadata: artifact.metadata } : {}),
        tagsToAdd: wanted.filter(({ tagName }) => !has.includes(tagName)).map(({ tagName }) => ({ tagName })),
        tagsToDelete: has.filter(isOld).map((tagName) => ({ tagName })),
      };
      if (input.tagsToAdd.length + input.tagsToDelete.length > 0) await ask(`${pathOf(collection)}:${version}`, updateArtifact, { input });
    },
  };
  return understanding('W&B', json.url, registry);
}

/** `ENTITY/PROJECT/NAME` */
export function pathOf({ entity, project, name }: WandbCollection): string {
  return `${entity}/${project}/${name}`;
}

/** The way to write a version that W&B's own client reads (https://github.com/wandb/wandb/blob/v0.22.3/wandb/util.py, `parse_artifact_string`). */
export function uriOf({ collection, version }: Pick<WandbVersion, 'collection' | 'version'>): string {
  return `${scheme}${pathOf(collection)}:${version}`;
}

export function isWandbUri(uri: string): boolean {
  return uri.startsWith(scheme);
}

interface Organization {
  name?: string;
  orgEntity?: { name: string } | null;
}

interface Entity {
  organization?: Organization | null;
  user?: { organizations?: Organization[] | null } | null;
}

interface ProjectData {
  name: string;
  entity: { name: string };
}

interface CollectionData {
  __typename?: string;
  name: string;
  project?: ProjectData | null;
}

interface ArtifactData {
  id: string;
  artifactSequence?: CollectionData | null;
  versionIndex?: number | null;
  artifactType?: { name: string } | null;
  description?: string | null;
  /** JSON */
  metadata?: string | null;
  tags?: { name: string }[] | null;
  state?: string;
}

interface Membership {
  versionIndex?: number;
  artifactCollection?: CollectionData | null;
  artifact?: ArtifactData | null;
}

interface RunOutputs {
  run?: { artifacts?: { edges?: { node: ArtifactData }[]; pageInfo?: { endCursor?: string | null; hasNextPage?: boolean } } } | null;
}

interface Links {
  artifactMemberships?: { edges?: { node: Membership }[] } | null;
}

interface Maker {
  /** Absent where no run but a person made it. */
  name?: string;
  project?: ProjectData | null;
}

interface Done {
  success?: boolean;
}

function collectionOf({ artifactCollection: of }: Membership): WandbCollection {
  return { entity: of?.project?.entity.name ?? '', project: of?.project?.name ?? '', name: of?.name ?? '' };
}

function versionIn(found: Membership): WandbVersion {
  const { versionIndex, artifact, artifactCollection } = found;
  if (versionIndex === undefined || !artifact)
    throw new ActionError('unreachable', 'W&B answered a version that has no number or no artifact');
  const isLinked = artifactCollection?.__typename === 'ArtifactPortfolio';
  return { collection: collectionOf(found), version: `v${versionIndex}`, artifactId: artifact.id, isLinked };
}

/** As W&B's client allows: letters, digits, hyphens and underscores. */
function tagOf(text: string): string {
  return text.replace(/[^-\w]+/gu, '-');
}
