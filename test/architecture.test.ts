import { createRequire } from 'node:module';
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import { describe, expect, it } from 'vitest';

const require = createRequire(import.meta.url);
const ROOT = new URL('..', import.meta.url).pathname;
const FIXTURE = new URL('fixtures/architecture', import.meta.url).pathname;

async function check(baseDir: string): Promise<ICruiseResult> {
  const { forbidden, options } = require('../.dependency-cruiser.cjs');
  const tsConfig = require('typescript').readConfigFile(
    `${ROOT}/tsconfig.base.json`,
    require('typescript').sys.readFile,
  );
  const cruiseOptions: ICruiseOptions = { ...options, baseDir, validate: true, ruleSet: { forbidden } };
  const { output } = await cruise(['src'], cruiseOptions, undefined, { tsConfig: tsConfig.config });
  return output as ICruiseResult;
}

describe('the dependency rules', () => {
  it('hold in src/', async () => {
    const { summary } = await check(ROOT);
    // A checker that sees no modules passes everything: TypeScript it cannot read would do that.
    expect(summary.totalCruised).toBeGreaterThan(50);
    expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([]);
  });

  it('catch a module that breaks each of them', async () => {
    const { summary } = await check(FIXTURE);
    expect(new Set(summary.violations.map(({ rule }) => rule.name))).toEqual(
      new Set([
        'vendor-winston',
        'no-cycles',
        'adapters-are-wired-in-app',
        'nobody-imports-main',
        'the-browser-stays-apart',
      ]),
    );
  });
});
