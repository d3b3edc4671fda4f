/** The cluster's words without what says nothing: what stays is what a person would quote. */
export function tidy(message: string): string {
  return withoutPreemption(withoutPulling(message.trim()));
}

/** What the scheduler adds about preemption says nothing about why there is no room. */
function withoutPreemption(message: string): string {
  return message.replace(/\s*(no new claims to deallocate[,.]?\s*)?preemption: [^]*$/u, '').trim();
}

// Each names the image, and only what comes after the last of them says why: the kubelet's (pkg/kubelet/images/image_manager.go),
// gRPC's, containerd's (client/pull.go, core/remotes/docker/resolver.go).
const pulling: readonly RegExp[] = [
  /^Back-off pulling image "[^"]*"(: |$)/u,
  /^ErrImagePull: /u,
  /^rpc error: code = \w+ desc = /u,
  /^failed to pull and unpack image "[^"]*": /u,
  /^failed to resolve (reference|image) "[^"]*": /u,
];

/** `cannot pull the image X: not found`, where the kubelet names the image four times. */
function withoutPulling(message: string): string {
  const image = /(?:Back-off pulling|failed to pull and unpack) image "([^"]+)"/u.exec(message)?.[1];
  if (image === undefined) return message;
  const rest = pulling.reduce((text, one) => text.replace(one, ''), message);
  const why = rest.startsWith(`${image}: `) ? rest.slice(image.length + 2) : rest;
  return `cannot pull the image ${image}${why ? `: ${why}` : ''}`;
}
