import type { Deployment, DeploymentState, RepositoryData } from '../github/store.ts';
import { fullName } from '../github/store.ts';
import { each, markup, nothing, shortSha, time, type Markup } from './markup.ts';
import { layout } from './layout.ts';
import { person } from './person.ts';
import { sign, type Tone } from './status.ts';

const tones: Record<DeploymentState, Tone> = {
  success: 'good',
  error: 'bad',
  failure: 'bad',
  inactive: 'off',
  in_progress: 'pending',
  queued: 'pending',
  pending: 'pending',
};

export function deploymentsPage(repository: RepositoryData): Markup {
  const name = fullName(repository);
  return layout({
    title: `Deployments · ${name}`,
    path: [{ name: 'Repositories', to: '/' }, { name, to: `/${name}` }, { name: 'Deployments' }],
    body: markup`<h1>Deployments</h1>
      ${deploymentList(repository)}`,
  });
}

/** Newest first, each with all its states. */
export function deploymentList(repository: RepositoryData): Markup {
  const all = [...repository.deployments.values()].toReversed();
  return markup`<ul class="box rows">
    ${each(all, (one) => row(repository, one), markup`<li class="blank">No deployment yet.</li>`)}
  </ul>`;
}

/** How a deployment stands, as its state's sign. */
export function deploymentSign({ statuses }: Deployment): Markup {
  const state = statuses.at(-1)?.state ?? 'pending';
  return sign(tones[state], state.replaceAll('_', ' '));
}

function row(repository: RepositoryData, deployment: Deployment): Markup {
  const latest = deployment.statuses.at(-1);
  const state = latest?.state ?? 'pending';
  const url = latest?.environmentUrl;
  return markup`<li>
    ${deploymentSign(deployment)}
    <span class="grow"
      ><strong>${deployment.environment}</strong> ${latest?.description ?? deployment.description}
      <span class="muted"
        >${state.replaceAll('_', ' ')}, <a href="/${fullName(repository)}/commit/${deployment.sha}">${shortSha(deployment.sha)}</a> by
        ${person(deployment.creator)}</span
      >
      ${url !== undefined && /^https?:\/\//u.test(url) ? markup`<a href="${url}" rel="noreferrer">${url}</a>` : nothing}</span
    >
    <span class="muted">${time(latest?.createdAt ?? deployment.createdAt)}</span>
  </li>`;
}
