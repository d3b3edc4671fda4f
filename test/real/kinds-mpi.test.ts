import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mpiJob } from '@slashtrain/core/kinds/mpi-job';
import { RealKinds } from '../support/kinds.ts';

/* MPIJobs as the MPI operator runs them. A cluster has this operator or the training operator, whose MPIJob is v1. */
const real = await RealKinds.open('kinds-mpi');
const isThere = await real.has([mpiJob.resource, `${mpiJob.operator ?? ''}, where the training operator is not`]);
beforeAll(() => real.begin());
afterAll(() => real.end());

/** A launcher without mpirun, of which there is no image here: it says what the operator gave it. Workers end with it. */
const spec = (launcher: string): object => ({
  slotsPerWorker: 1,
  runPolicy: { cleanPodPolicy: 'Running', backoffLimit: 0 },
  mpiReplicaSpecs: {
    Launcher: { replicas: 1, template: real.pod(launcher) },
    Worker: { replicas: 2, template: real.pod('echo worker; sleep 600') },
  },
});

it('a version that the server does not have is refused by name', async () => {
  const other = { ...mpiJob, resource: { ...mpiJob.resource, version: 'v2alpha0' } };
  await expect(real.backend.check(other, real.object(other, spec('true')))).rejects.toThrow(/does not know mpijobs\.kubeflow\.org/u);
});

if (isThere)
  describe('an MPIJob of the MPI operator', () => {
    it('runs to its end with two workers, with parameters, a deadline, and the lines of all', async () => {
      const object = real.object(mpiJob, spec('echo "$(params.word)"; cut -d. -f1 /etc/mpi/hostfile; sleep 3'));
      mpiJob.setParameters(object, new Map([['word', 'hello']]));
      mpiJob.setDeadline(object, 240);
      await real.backend.check(mpiJob, object);
      const reference = await real.start(mpiJob, object);
      const [lines, statuses] = await Promise.all([real.lines(reference), real.follow(reference)]);
      expect(statuses.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1])).toEqual([
        'queued',
        'running',
        'succeeded',
      ]);
      expect(lines).toEqual(['hello', `${reference.name}-worker-0`, `${reference.name}-worker-1`, 'worker', 'worker']);
    });

    it('fails with its launcher, and is explained by it; one over its deadline ends', async () => {
      const late = real.object(mpiJob, spec('sleep 600'));
      mpiJob.setDeadline(late, 8);
      const [bad, slow] = await Promise.all([real.start(mpiJob, real.object(mpiJob, spec('sleep 1; exit 3'))), real.start(mpiJob, late)]);
      const explained = real.explained(bad, ({ reason }) => reason === 'crash');
      const [ofBad, ofSlow] = await Promise.all([real.follow(bad), real.follow(slow)]);
      expect(ofBad.at(-1)).toMatchObject({ state: 'failed' });
      expect(await explained).toMatchObject({ message: expect.stringContaining('exited with code 3') as unknown });
      expect(ofSlow.at(-1)).toMatchObject({ state: 'failed' });
      const { evidence } = await real.backend.pods(slow);
      // Either looks first: the launcher's Job, or the kubelet, whose pod stays to be seen.
      expect([ofSlow.at(-1)?.reason, ...evidence.map(({ reason }) => reason?.replace('DeadlineExceeded', 'deadline'))]).toContain(
        'deadline',
      );
    });

    it('is cancelled with its pods', async () => {
      const object = real.object(mpiJob, spec('sleep 600'));
      const reference = await real.start(mpiJob, object);
      const statuses = await real.follow(reference, ({ state }) => (state === 'running' ? real.backend.cancel(reference, 0) : undefined));
      expect(statuses.at(-1)).toMatchObject({ state: 'deleted' });
      await real.untilNoPods(mpiJob.podSelector(object));
    });
  });
