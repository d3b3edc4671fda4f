import type { Part, PartName } from '../part.ts';

/** What of a part is loaded where it runs, and nowhere else. */
export const load: Record<PartName, () => Promise<{ part: Part }>> = {
  start: () => import('./start.ts'),
  comment: () => import('./comment.ts'),
  size: () => import('./size.ts'),
  steps: () => import('./steps.ts'),
  sweep: () => import('./sweep.ts'),
  hour: () => import('./hour.ts'),
  sync: () => import('./sync.ts'),
  reports: () => import('./reports.ts'),
  lag: () => import('./lag.ts'),
  logs: () => import('./logs.ts'),
  ready: () => import('./ready.ts'),
  forward: () => import('./forward.ts'),
  events: () => import('./events.ts'),
  mlflow: () => import('./mlflow.ts'),
  images: () => import('./images.ts'),
};
