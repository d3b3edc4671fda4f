// Starts the sync workflow from the cluster, as a GitHub App that may do nothing else (actions: write). What ended is found
// and written by the workflow: this only says that there is something to look at.
import { createSign } from 'node:crypto';
import { readFileSync } from 'node:fs';

const { GITHUB_API_URL = 'https://api.github.com', REPOSITORY, WORKFLOW = 'sync.yml', REF = 'main' } = process.env;
const { APP_ID, INSTALLATION_ID, PRIVATE_KEY_FILE } = process.env;

// https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
function jwt() {
  const now = Math.floor(Date.now() / 1000);
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const content = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode({ iat: now - 60, exp: now + 300, iss: APP_ID })}`;
  return `${content}.${createSign('RSA-SHA256').update(content).sign(readFileSync(PRIVATE_KEY_FILE), 'base64url')}`;
}

async function post(path, token, body) {
  const answer = await fetch(`${GITHUB_API_URL}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, accept: 'application/vnd.github+json', 'user-agent': 'slashtrain-callback' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`GitHub answered ${answer.status} to POST ${path}: ${await answer.text()}`);
  return answer.status === 204 ? {} : answer.json();
}

const [, repository] = REPOSITORY.split('/');
const { token } = await post(`/app/installations/${INSTALLATION_ID}/access_tokens`, jwt(), {
  repositories: [repository],
  permissions: { actions: 'write' },
});
await post(`/repos/${REPOSITORY}/actions/workflows/${WORKFLOW}/dispatches`, token, { ref: REF });
console.log(`started ${WORKFLOW} of ${REPOSITORY}`);
