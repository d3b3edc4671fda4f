const known = /gpu|^nvidia\.com\/mig-|^habana\.ai\/|^google\.com\/tpu|^aws\.amazon\.com\/neuron|^huawei\.com\/ascend/iu;
// Memory and share of a divided GPU stand beside its number.
const partOfOne = /gpu[-.]?(mem|core)/iu;

/** Whether a resource counts GPUs, or what stands for them. @param more further names, from the configuration's accelerators */
export function isAccelerator(resource: string, more: readonly string[] = []): boolean {
  return (known.test(resource) && !partOfOne.test(resource)) || more.includes(resource);
}
