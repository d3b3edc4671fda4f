/*
 * The operations that W&B's own public client sends for artifacts and registries, word for word: its generated ones of
 * wandb 0.22.3, wandb/sdk/artifacts/_generated/operations.py, for a server that has every field.
 */

const fragments = {
  alias: 'fragment ArtifactAliasFragment on ArtifactAlias { __typename id alias }',
  artifact: `fragment ArtifactFragment on Artifact {
    __typename id artifactSequence { ...SourceCollectionInfoFragment } versionIndex artifactType { name } description metadata
    ttlDurationSeconds @include(if: true) ttlIsInherited @include(if: true) tags @include(if: true) { ...TagFragment }
    historyStep @include(if: true) state size digest commitHash fileCount createdAt updatedAt
    aliases @include(if: $includeAliases) { artifactCollection { ...CollectionInfoFragment } ...ArtifactAliasFragment }
  }`,
  membership: `fragment ArtifactMembershipFragment on ArtifactCollectionMembership {
    __typename id versionIndex aliases { ...ArtifactAliasFragment } artifactCollection { ...CollectionInfoFragment }
    artifact { ...ArtifactFragment }
  }`,
  collection: 'fragment CollectionInfoFragment on ArtifactCollection { __typename name project { ...ProjectInfoFragment } }',
  organization: 'fragment OrgInfoFragment on Organization { name orgEntity @include(if: true) { name } }',
  page: 'fragment PageInfoFragment on PageInfo { __typename endCursor hasNextPage }',
  project: 'fragment ProjectInfoFragment on Project { name entity { name } }',
  run: 'fragment RunInfoFragment on Run { __typename id name project { ...ProjectInfoFragment } }',
  outputs: `fragment RunOutputArtifactConnectionFragment on ArtifactConnection {
    totalCount pageInfo { ...PageInfoFragment } edges { node { ...ArtifactFragment } }
  }`,
  source: 'fragment SourceCollectionInfoFragment on ArtifactSequence { __typename name project { ...ProjectInfoFragment } }',
  tag: 'fragment TagFragment on Tag { __typename id name }',
};

function operation(text: string, ...used: (keyof typeof fragments)[]): string {
  return [text, ...used.map((name) => fragments[name])].join(' ').replace(/\s+/gu, ' ');
}

/** The artifacts that a run made, page by page. */
export const runOutputArtifacts = operation(
  `query RunOutputArtifacts($entity: String!, $project: String!, $runName: String!, $cursor: String, $perPage: Int, $includeAliases: Boolean = true) {
    project(name: $project, entityName: $entity) {
      run(name: $runName) {
        artifacts: outputArtifacts(after: $cursor, first: $perPage) { ...RunOutputArtifactConnectionFragment }
      }
    }
  }`,
  ...(['alias', 'artifact', 'collection', 'page', 'project', 'outputs', 'source', 'tag'] as const),
);

/** One version of a collection, by `NAME:ALIAS` or `NAME:vN`. */
export const artifactMembershipByName = operation(
  `query ArtifactMembershipByName($entity: String!, $project: String!, $name: String!, $includeAliases: Boolean = true) {
    project(name: $project, entityName: $entity) {
      artifactCollectionMembership(name: $name) { ...ArtifactMembershipFragment }
    }
  }`,
  ...(['alias', 'artifact', 'membership', 'collection', 'project', 'source', 'tag'] as const),
);

/** The run that made an artifact. */
export const artifactCreatedBy = operation(
  'query ArtifactCreatedBy($id: ID!) { artifact(id: $id) { createdBy { __typename ... on Run { ...RunInfoFragment } } } }',
  ...(['project', 'run'] as const),
);

/** The collections that an artifact is in. */
export const fetchLinkedArtifacts = operation(
  `query FetchLinkedArtifacts($artifactID: ID!) {
    artifact(id: $artifactID) {
      artifactMemberships {
        edges { node { versionIndex aliases { ...ArtifactAliasFragment } artifactCollection { __typename ...CollectionInfoFragment } } }
      }
    }
  }`,
  ...(['alias', 'collection', 'project'] as const),
);

/** The organization of a team, or those of a person. */
export const fetchOrgInfoFromEntity = operation(
  `query FetchOrgInfoFromEntity($entity: String!) {
    entity(name: $entity) { organization { ...OrgInfoFragment } user { organizations { ...OrgInfoFragment } } }
  }`,
  'organization',
);

/** Puts an artifact into a collection. */
export const linkArtifact = operation(
  `mutation LinkArtifact($input: LinkArtifactInput!, $includeAliases: Boolean = true) {
    linkArtifact(input: $input) { versionIndex artifactMembership @include(if: true) { ...ArtifactMembershipFragment } }
  }`,
  ...(['alias', 'artifact', 'membership', 'collection', 'project', 'source', 'tag'] as const),
);

export const addAliases = operation('mutation AddAliases($input: AddAliasesInput!) { addAliases(input: $input) { success } }');

export const deleteAliases = operation('mutation DeleteAliases($input: DeleteAliasesInput!) { deleteAliases(input: $input) { success } }');

/** Tags, description and metadata of an artifact. */
export const updateArtifact = operation(
  `mutation UpdateArtifact($input: UpdateArtifactInput!, $includeAliases: Boolean = true) {
    updateArtifact(input: $input) { artifact { ...ArtifactFragment } }
  }`,
  ...(['alias', 'artifact', 'collection', 'project', 'source', 'tag'] as const),
);
