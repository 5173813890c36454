import { Argument, type Command } from 'commander';
import { AppError } from '../errors.js';
import type { AnswerEvaluationOptions, EvaluateAnswers, Measure } from '../learn/answer-evaluation.js';
import { evaluateAbstention } from '../learn/evaluate-abstention.js';
import { evaluateFollowUps } from '../learn/evaluate-follow-ups.js';
import { evaluateGrounding } from '../learn/evaluate-grounding.js';
import { EXIT } from './exit-codes.js';
import { parseCount, withTemporaryCore } from './temporary-core.js';

const PARTS: Record<string, EvaluateAnswers> = {
  grounding: evaluateGrounding,
  abstention: evaluateAbstention,
  'follow-ups': evaluateFollowUps,
};

interface EvalAnswersOptions {
  sets: string[];
  limit?: string;
  json?: boolean;
  min: string[];
}

interface Gate {
  part: string;
  name: string;
  least: number;
}

export function registerEvalAnswersCommand(evaluation: Command): void {
  evaluation
    .command('answers')
    .description('measure what answers promise, without a judge model')
    .addArgument(new Argument('[parts...]', 'all where none is named').choices(Object.keys(PARTS)))
    .option(
      '--sets <folder...>',
      'labelled sets in the BEIR layout and dialogues, besides the knowledge folder',
      [],
    )
    .option('--limit <number>', 'cases per set')
    .option('--min <part.measure=value...>', 'end with 1 where it is below: grounding.right-kept=0.95', [])
    .option('--json', 'print one JSON object')
    .action(async (named: string[], options: EvalAnswersOptions) => {
      const parts = named.length === 0 ? Object.keys(PARTS) : named;
      const gates = options.min.map((text) => parseGate(text, parts));
      const measured = await evaluate(parts, options);
      process.stdout.write(options.json === true ? `${JSON.stringify(measured)}\n` : table(measured));
      process.exitCode = checkGates(gates, measured) ? EXIT.ok : EXIT.failed;
    });
}

async function evaluate(
  parts: readonly string[],
  { sets, limit }: EvalAnswersOptions,
): Promise<Record<string, Measure[]>> {
  return withTemporaryCore(async (core, { show, signal }) => {
    let indexing: Promise<unknown> | undefined;
    const common: Omit<AnswerEvaluationOptions, 'onProgress'> = {
      ...core,
      sets,
      steps: core.steps({ writeTrace: async () => undefined }),
      indexKnowledge: async () => {
        indexing ??= core.knowledgeFolder.sync({ signal });
        await indexing;
      },
      ...(limit === undefined ? {} : { limit: parseCount('--limit', limit) }),
      signal,
    };
    const measured: Record<string, Measure[]> = {};
    for (const part of parts) {
      measured[part] = (await PARTS[part]?.({ ...common, onProgress: show(part) })) ?? [];
    }
    return measured;
  });
}

function parseGate(text: string, parts: readonly string[]): Gate {
  const [, part = '', name = '', value = ''] = /^([^.=]+)\.([^=]+)=(.+)$/.exec(text) ?? [];
  const least = Number(value);
  if (!parts.includes(part) || value === '' || Number.isNaN(least)) {
    throw new AppError(
      'invalid',
      `--min takes part.measure=value, with a part that is measured (${parts.join(', ')}): not "${text}".`,
    );
  }
  return { part, name, least };
}

/** Throws AppError `invalid` for a gate on something that was not measured: it would always pass. */
function checkGates(gates: readonly Gate[], measured: Record<string, Measure[]>): boolean {
  const missed = gates.filter(({ part, name, least }) => {
    const measure = measured[part]?.find((one) => one.name === name && one.group === 'all');
    if (measure === undefined) {
      const names = (measured[part] ?? []).filter(({ group }) => group === 'all').map((one) => one.name);
      throw new AppError('invalid', `--min: ${part} measures ${names.join(', ')}, not ${name}.`);
    }
    return measure.mean < least;
  });
  for (const { part, name, least } of missed) process.stderr.write(`${part}.${name} is below ${least}\n`);
  return missed.length === 0;
}

function table(measured: Record<string, Measure[]>): string {
  return Object.entries(measured)
    .map(([part, measures]) => {
      const rows = measures.map(
        ({ name, group, mean, low, high, count }) =>
          `${name.padEnd(30)}${group.padEnd(24)}${mean.toFixed(3)}   ${low.toFixed(3)}–${high.toFixed(3)}${String(count).padStart(8)}`,
      );
      return `${part.padEnd(54)}mean    95 %          cases\n${rows.join('\n')}\n`;
    })
    .join('\n');
}
