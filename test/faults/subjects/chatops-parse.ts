import { bundleOf, succeeded, unless, type Subject } from '../subject.ts';
import { pullRequest } from './pulls.ts';

export const chatops: Subject = {
  name: 'chatops-parse',
  traffic: { github: { reads: 3, writes: 2, streams: 0 } },
  async prepare(place) {
    const { repository } = place;
    repository.commit({
      files: { '.github/slashtrain.yml': 'commands:\n  train:\n    arguments:\n      epochs: { type: integer, default: 10 }\n' },
    });
    repository.setPermission('ada', 'write');
    const { sha, number } = pullRequest(place);
    // A head that is younger than the comment is refused.
    place.world.later();
    const comment = repository.comment(number, 'ada', '/train epochs=20');
    const event = repository.events.issueComment(comment);
    const run = {
      ...bundleOf(place, 'chatops-parse', { contents: 'read', 'pull-requests': 'write', checks: 'read', statuses: 'read' }, {}),
      event,
      actor: event.actor,
    };
    return Promise.resolve({
      run,
      judge: async (told) => {
        const { matched, sha: said, arguments: given } = told.result.outputs;
        const replies = repository.comments(number).filter(({ user }) => user.type === 'Bot');
        return Promise.resolve([
          ...unless(succeeded(told) === (matched === 'true'), `code ${told.result.code}, and matched is ${matched ?? 'not set'}`),
          ...unless(matched !== 'true' || said === sha, `the commit is ${said ?? ''}, and not ${sha}`),
          ...unless(matched !== 'true' || given === '{"epochs":20}', `the arguments are ${given ?? ''}`),
          ...unless(replies.length <= 1, `${replies.length} replies`),
          ...unless(
            told.is === 'disturbed' ||
              !replies.some(({ body }) => body.includes('**Nothing was started:**') && !body.includes('Started by')),
            'a reply still says that nothing was started',
          ),
        ]);
      },
    });
  },
};
