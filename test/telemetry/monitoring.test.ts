import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createPromMetrics } from '../../src/telemetry/prom-metrics.js';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const dashboard = JSON.parse(read('docs/monitoring/grafana-dashboard.json')) as {
  panels: { title: string; targets: { expr: string }[] }[];
};
const rules = parse(read('docs/monitoring/alert-rules.yml')) as {
  groups: { rules: { alert: string; expr: string; labels: object; annotations: { summary: string } }[] }[];
};
const expressions = [
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...rules.groups.flatMap(({ rules: group }) => group.map(({ expr }) => expr)),
];
const metricsOf = (expression: string): string[] =>
  expression.match(/\b(?:askbase|nodejs|process)_[a-z0-9_]+/g) ?? [];

/** Gauges that are added to those of `prom-metrics.ts` where what they show is made. */
const WATCHED = readdirSync(new URL('../../src', import.meta.url), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => read(`src/${file}`))
  .flatMap((source) => [...source.matchAll(/'(askbase_[a-z_]+)'/g)].map((match) => match[1] as string));

describe('The dashboard and the alert rules', () => {
  it('name only metrics that /metrics has', async () => {
    const { text } = await createPromMetrics().scrape();
    const ours = [...text.matchAll(/^# TYPE (\S+) (\S+)/gm)].map(([, name = '', type]) => ({ name, type }));
    const known = new Set([
      ...ours.flatMap(({ name, type }) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
      ),
      ...WATCHED,
    ]);
    const named = expressions.flatMap(metricsOf);
    expect(named.length).toBeGreaterThan(25);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('have balanced expressions, and every rule says how grave it is and what is wrong', () => {
    for (const expression of expressions) {
      for (const [open, close] of ['()', '{}', '[]']) {
        expect(expression.split(open as string).length, expression).toBe(
          expression.split(close as string).length,
        );
      }
    }
    for (const { rules: group } of rules.groups) {
      for (const { alert, labels, annotations } of group) {
        expect(labels, alert).toHaveProperty('severity');
        expect(annotations.summary.length, alert).toBeGreaterThan(10);
      }
    }
  });
});
