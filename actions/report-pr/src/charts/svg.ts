import { clip, oneLine } from '@slashtrain/core/markdown/text';
import type { ChartLine } from '@slashtrain/core/charts/mermaid';
import type { Loader } from 'vega';
import type { TopLevelSpec } from 'vega-lite';

// As in the Mermaid charts.
const colours = ['#3b82f6', '#f97316', '#a855f7', '#a16207'];
const longestTitle = 60;

/** Our charts name no address and no file; whatever else would is refused. */
const refusing: Loader = {
  load: refuse,
  sanitize: refuse,
  http: refuse,
  file: refuse,
};

function refuse(address: string): Promise<never> {
  return Promise.reject(new Error(`a chart loads nothing, and this one asks for ${JSON.stringify(address.slice(0, 200))}`));
}

/**
 * Curves as an SVG of their own, by vega-lite: all points, a legend, and axes that say numbers. Names are values and titles,
 * never fields or expressions. Values that are not finite leave a gap. Vega is loaded for it, 0.9 MB that most reports do without.
 * @param title hostile text
 * @param lines at most 4
 * @returns undefined where there is no curve: fewer than two steps with finite values
 */
export async function lineSvg(title: string, lines: readonly ChartLine[]): Promise<string | undefined> {
  const drawn = lines.slice(0, colours.length).map(({ label, points }) => ({ label: clip(oneLine(label), longestTitle), points }));
  const values = drawn.flatMap(({ label, points }) =>
    points.map(({ step, value }) => ({ step, value: Number.isFinite(value) ? value : null, run: label })),
  );
  if (new Set(values.filter(({ value }) => value !== null).map(({ step }) => step)).size < 2) return undefined;
  const spec: TopLevelSpec = {
    // Dark pages show it as a sheet: text on nothing could not be read on one of the two.
    background: 'white',
    width: 720,
    height: 240,
    padding: 8,
    data: { values },
    mark: { type: 'line', strokeWidth: 2 },
    encoding: {
      x: { field: 'step', type: 'quantitative', title: 'step', scale: { zero: false, nice: false } },
      y: { field: 'value', type: 'quantitative', title: clip(oneLine(title), longestTitle), scale: { zero: false } },
      color: {
        field: 'run',
        type: 'nominal',
        title: null,
        scale: { domain: drawn.map(({ label }) => label), range: colours },
        legend: { orient: 'top', labelLimit: 600 },
      },
    },
    config: { font: 'sans-serif' },
  };
  return drawSvg(spec);
}

/** Draws a chart that loads nothing. Vega is loaded here. */
export async function drawSvg(spec: TopLevelSpec): Promise<string> {
  const { View, parse } = await import('vega');
  const { compile } = await import('vega-lite');
  const view = new View(parse(compile(spec).spec), { renderer: 'none', loader: refusing });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
