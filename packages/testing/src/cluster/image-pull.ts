import type { ContainerRunner, NodeParts } from './container.ts';

// https://pkg.go.dev/github.com/distribution/reference: name, port, path, tag, digest; a coarse form of it.
const reference = /^(?:[a-zA-Z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/u;

function problemOf(image: string): string {
  const path = image.replace(/^[^/]*[.:][^/]*\/|^localhost\//u, '').replace(/[:@].*$/u, '');
  if (path === path.toLowerCase()) return 'invalid reference format';
  return `invalid reference format: repository name (${path.includes('/') || image !== path ? path : `library/${path}`}) must be lowercase`;
}

/**
 * Brings a container's image to the node, however often that takes.
 * @returns false where the container was stopped before
 */
export async function ensureImage(runner: ContainerRunner, { images, timing }: NodeParts): Promise<boolean> {
  const { image, imagePullPolicy } = runner.container;
  for (let failures = 0; !runner.isStopped(); failures++) {
    if (!reference.test(image)) {
      const why = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${problemOf(image)}`;
      await refuse(runner, 'InvalidImageName', 'InspectFailed', why, timing.pull);
    } else if (images.present(image) && imagePullPolicy !== 'Always') {
      runner.tell('Normal', 'Pulled', `Container image "${image}" already present on machine and can be accessed by the pod`);
      return true;
    } else if (imagePullPolicy === 'Never') {
      const why = `Container image "${image}" is not present with pull policy of Never`;
      await refuse(runner, 'ErrImageNeverPull', 'ErrImageNeverPull', why, timing.pull);
    } else {
      runner.tell('Normal', 'Pulling', `Pulling image "${image}"`);
      const before = Date.now();
      try {
        await images.pull(image);
        const took = `${Date.now() - before}ms`;
        runner.tell('Normal', 'Pulled', `Successfully pulled image "${image}" in ${took} (${took} including waiting)`);
        return true;
      } catch (error) {
        await backOff(runner, error instanceof Error ? error.message : String(error), timing.pull * 2 ** Math.min(failures, 4));
      }
    }
  }
  return false;
}

async function refuse(runner: ContainerRunner, reason: string, event: string, why: string, wait: number): Promise<void> {
  if (runner.wait(reason, why)) {
    runner.tell('Warning', event, why);
    runner.tell('Warning', 'Failed', `Error: ${reason}`);
  }
  await runner.pause(wait);
}

async function backOff(runner: ContainerRunner, why: string, wait: number): Promise<void> {
  const { image } = runner.container;
  runner.tell('Warning', 'Failed', `Failed to pull image "${image}": ${why}`);
  runner.tell('Warning', 'Failed', 'Error: ErrImagePull');
  runner.wait('ErrImagePull', why);
  await runner.pause(wait);
  if (runner.isStopped()) return;
  runner.tell('Normal', 'BackOff', `Back-off pulling image "${image}"`);
  runner.tell('Warning', 'Failed', 'Error: ImagePullBackOff');
  runner.wait('ImagePullBackOff', `Back-off pulling image "${image}": ErrImagePull: ${why}`);
  await runner.pause(wait);
}
