import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import type { Release } from './contents.ts';
import type { BundledPackage } from './packages.ts';

/**
 * An action's bill of materials: CycloneDX 1.6, JSON, with what is in its bundles, and not what was only installed to make them.
 * The same release gives the same text: it has neither a serial number nor a time.
 * https://cyclonedx.org/docs/1.6/json/
 */
export function billOf({ action, version, source }: Release, packages: readonly BundledPackage[]): string {
  const bill = new Models.Bom();
  const root = new Models.Component(Enums.ComponentType.Application, action, { version, bomRef: action });
  root.licenses.add(new Models.SpdxLicense('Apache-2.0'));
  root.properties.add(new Models.Property('slashtrain:source', source));
  bill.metadata.component = root;
  for (const { name, version: its, license, patched } of packages) {
    const [scope, base] = name.startsWith('@') ? name.split('/') : [undefined, name];
    const component = new Models.Component(Enums.ComponentType.Library, base ?? name, {
      version: its,
      bomRef: `${name}@${its}`,
      purl: `pkg:npm/${scope ? `${encodeURIComponent(scope)}/` : ''}${base}@${its}`,
      ...(scope && { group: scope }),
    });
    if (license) component.licenses.add(new Models.LicenseExpression(license));
    if (patched) component.properties.add(new Models.Property('slashtrain:patched', 'true'));
    bill.components.add(component);
    root.dependencies.add(component.bomRef);
  }
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bill, { sortLists: true, space: 2 })}\n`;
}
