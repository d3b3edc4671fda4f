import { Controller } from './controller.ts';
import { types } from './resources.ts';
import type { Store } from './store.ts';

/** Puts into each new namespace what a real cluster puts there: the default service account and the CA's ConfigMap. */
export function furnishNamespaces(store: Store, onDefect: (error: unknown) => void): Controller {
  return new Controller(
    store,
    ({ type, object, before }) => (type === types.namespaces && !before ? [object.metadata.name] : []),
    (namespace) => {
      if (store.get(types.namespaces, undefined, namespace)?.metadata.deletionTimestamp !== undefined) return;
      if (!store.get(types.serviceAccounts, namespace, 'default'))
        store.create(types.serviceAccounts, { metadata: { name: 'default', namespace } });
      if (store.get(types.configMaps, namespace, 'kube-root-ca.crt')) return;
      // It is reached without TLS: there is no CA.
      store.create(types.configMaps, { metadata: { name: 'kube-root-ca.crt', namespace }, data: { 'ca.crt': '' } });
    },
    onDefect,
  );
}
