import type { Answer } from './server.ts';
import queries from './wandb-queries.json' with { type: 'json' };

/** An artifact that a run logged. */
export interface WandbArtifact {
  id: string;
  /** Of its sequence; it is version `v<index>` of it. */
  name: string;
  index: number;
  type: string;
  run: string;
  state: string;
  metadata: string | null;
  tags: string[];
}

/** A collection to which artifacts are linked: a portfolio. */
interface Portfolio {
  entity: string;
  project: string;
  name: string;
  /** By version. */
  artifacts: WandbArtifact[];
  aliases: Map<string, WandbArtifact>;
}

interface Place {
  entity: string;
  project: string;
}

interface AliasInput {
  entityName: string;
  projectName: string;
  artifactCollectionName: string;
  alias: string;
}

/**
 * Artifacts and registries of W&B in memory: the operations of its public client alone, an organization with the registry "model",
 * and what W&B's documentation says of aliases (in a collection each names one version). No real server has confirmed the answers.
 */
export class WandbArtifacts {
  readonly #project: Place;
  readonly #organization: { name: string; entity: string };
  readonly #artifacts: WandbArtifact[] = [];
  readonly #portfolios: Portfolio[] = [];

  /** @param project whose runs log artifacts */
  constructor(project: Place, organization: { name: string; entity: string }) {
    this.#project = project;
    this.#organization = organization;
  }

  log(run: string, name: string, { type = 'model', state = 'COMMITTED', metadata = null }: Partial<WandbArtifact> = {}): WandbArtifact {
    const index = this.#artifacts.filter((one) => one.name === name).length;
    const id = Buffer.from(`Artifact:${this.#artifacts.length + 1}`).toString('base64');
    const artifact = { id, name, index, type, run, state, metadata, tags: [] };
    this.#artifacts.push(artifact);
    return artifact;
  }

  /** @returns undefined for what it does not have */
  answer(query: string, variables: Record<string, unknown>): Answer | undefined {
    const text = (name: string): string => String(variables[name] ?? '');
    const input = (variables['input'] ?? {}) as Record<string, unknown>;
    const byId = (id: unknown): WandbArtifact | undefined => this.#artifacts.find((one) => one.id === id);
    switch (query) {
      case queries.RunOutputArtifacts: {
        if (!this.#isOurs(text('entity'), text('project'))) return { data: { project: null } };
        const made = this.#artifacts.filter(({ run }) => run === text('runName'));
        const from = Number(variables['cursor'] ?? 0);
        const some = made.slice(from, from + Number(variables['perPage']));
        const pageInfo = { __typename: 'PageInfo', endCursor: String(from + some.length), hasNextPage: from + some.length < made.length };
        const edges = some.map((one) => ({ node: this.#show(one) }));
        return { data: { project: { run: { artifacts: { totalCount: made.length, pageInfo, edges } } } } };
      }
      case queries.ArtifactMembershipByName: {
        const place = { entity: text('entity'), project: text('project') };
        if (!this.#isOurs(place.entity, place.project) && !this.#isRegistry(place)) return { data: { project: null } };
        const [name = '', which = ''] = text('name').split(':');
        return { data: { project: { artifactCollectionMembership: this.#member(place, name, which) } } };
      }
      case queries.ArtifactCreatedBy: {
        const artifact = byId(variables['id']);
        const createdBy = artifact && {
          __typename: 'Run',
          id: `Run:${artifact.run}`,
          name: artifact.run,
          project: projectOf(this.#project),
        };
        return { data: { artifact: artifact ? { createdBy } : null } };
      }
      case queries.FetchLinkedArtifacts: {
        const artifact = byId(variables['artifactID']);
        const linked = this.#portfolios.filter(({ artifacts }) => artifact && artifacts.includes(artifact));
        const source = artifact && this.#member(this.#project, artifact.name, `v${artifact.index}`);
        const edges = [source, ...linked.map((one) => showMember(one, artifact, this.#show(artifact!)))].map((node) => ({ node }));
        return { data: { artifact: artifact ? { artifactMemberships: { edges } } : null } };
      }
      case queries.FetchOrgInfoFromEntity: {
        const { name, entity } = this.#organization;
        if (text('entity') !== this.#project.entity) return { data: { entity: null } };
        return { data: { entity: { organization: { name, orgEntity: { name: entity } }, user: null } } };
      }
      case queries.LinkArtifact: {
        const artifact = byId(input['artifactID']);
        const place = { entity: String(input['entityName']), project: String(input['projectName']) };
        if (!artifact) return refuse('artifact not found');
        if (!this.#isOurs(place.entity, place.project) && !this.#isRegistry(place)) return refuse('permission denied');
        const portfolio = this.#portfolio(place, String(input['artifactPortfolioName']));
        if (!portfolio.artifacts.includes(artifact)) portfolio.artifacts.push(artifact);
        const artifactMembership = showMember(portfolio, artifact, this.#show(artifact));
        return { data: { linkArtifact: { versionIndex: portfolio.artifacts.indexOf(artifact), artifactMembership } } };
      }
      case queries.AddAliases:
      case queries.DeleteAliases: {
        const artifact = byId(input['artifactID']);
        for (const { entityName, projectName, artifactCollectionName, alias } of input['aliases'] as AliasInput[]) {
          const portfolio = this.#find({ entity: entityName, project: projectName }, artifactCollectionName);
          if (!artifact || !portfolio?.artifacts.includes(artifact)) return refuse('artifact collection membership not found');
          if (query === queries.AddAliases) portfolio.aliases.set(alias, artifact);
          else if (portfolio.aliases.get(alias) === artifact) portfolio.aliases.delete(alias);
          else return refuse('alias not found');
        }
        return { data: { [query === queries.AddAliases ? 'addAliases' : 'deleteAliases']: { success: true } } };
      }
      case queries.UpdateArtifact: {
        const artifact = byId(input['artifactID']);
        if (!artifact) return refuse('artifact not found');
        const [added, deleted] = ['tagsToAdd', 'tagsToDelete'].map((name) =>
          (input[name] as { tagName: string }[]).map((one) => one.tagName),
        );
        artifact.metadata = typeof input['metadata'] === 'string' ? input['metadata'] : null;
        artifact.tags = [...new Set([...artifact.tags, ...(added ?? [])])].filter((tag) => !deleted?.includes(tag));
        return { data: { updateArtifact: { artifact: this.#show(artifact) } } };
      }
      default:
        return undefined;
    }
  }

  #isOurs(entity: string, project: string): boolean {
    return entity === this.#project.entity && project === this.#project.project;
  }

  #isRegistry({ entity, project }: Place): boolean {
    return entity === this.#organization.entity && project === 'wandb-registry-model';
  }

  #find({ entity, project }: Place, name: string): Portfolio | undefined {
    return this.#portfolios.find((one) => one.entity === entity && one.project === project && one.name === name);
  }

  #portfolio(place: Place, name: string): Portfolio {
    const found = this.#find(place, name);
    if (found) return found;
    const made: Portfolio = { ...place, name, artifacts: [], aliases: new Map() };
    this.#portfolios.push(made);
    return made;
  }

  #member(place: Place, name: string, which: string): object | null {
    const portfolio = this.#find(place, name);
    if (portfolio) {
      const artifact = portfolio.aliases.get(which) ?? portfolio.artifacts.find((_, index) => which === `v${index}`);
      return artifact ? showMember(portfolio, artifact, this.#show(artifact)) : null;
    }
    const logged =
      this.#isOurs(place.entity, place.project) && this.#artifacts.find((one) => one.name === name && which === `v${one.index}`);
    if (!logged) return null;
    const artifactCollection = { __typename: 'ArtifactSequence', name, project: projectOf(place) };
    return {
      __typename: 'ArtifactCollectionMembership',
      versionIndex: logged.index,
      aliases: [],
      artifactCollection,
      artifact: this.#show(logged),
    };
  }

  #show({ id, name, index, type, state, metadata, tags }: WandbArtifact): object {
    return {
      __typename: 'Artifact',
      id,
      artifactSequence: { __typename: 'ArtifactSequence', name, project: projectOf(this.#project) },
      versionIndex: index,
      artifactType: { name: type },
      description: null,
      metadata,
      tags: tags.map((tag) => ({ __typename: 'Tag', id: tag, name: tag })),
      state,
      aliases: [],
    };
  }
}

function showMember({ name, artifacts, aliases, ...place }: Portfolio, artifact: WandbArtifact | undefined, shown: object): object {
  const own = [...aliases].flatMap(([alias, named]) => (named === artifact ? [{ __typename: 'ArtifactAlias', id: alias, alias }] : []));
  return {
    __typename: 'ArtifactCollectionMembership',
    versionIndex: artifacts.findIndex((one) => one === artifact),
    aliases: own,
    artifactCollection: { __typename: 'ArtifactPortfolio', name, project: projectOf(place) },
    artifact: shown,
  };
}

function projectOf({ entity, project }: Place): object {
  return { name: project, entity: { name: entity } };
}

function refuse(message: string): Answer {
  return { errors: [{ message }], data: null };
}
