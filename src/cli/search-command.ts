import type { Command } from 'commander';
import { createSearch } from '../stream/search.js';
import type { JudgedCandidate } from '../types.js';
import { readQuestion } from './ask-command.js';
import { EXIT } from './exit-codes.js';
import { requireKnowledgeBase, withCore } from './open-core.js';

export function registerSearchCommand(program: Command): void {
  program
    .command('search')
    .description('show the passages a question finds, with every score and decision')
    .argument('<query...>')
    .requiredOption('--kb <name>', 'knowledge base to search')
    .option('--limit <number>', 'passages to show', '10')
    .option('--json', 'print one JSON object with every candidate')
    .action(async (words: string[], options: { kb: string; limit: string; json?: boolean }) => {
      const query = readQuestion(words);
      const reply = await withCore((core, signal) => {
        requireKnowledgeBase(core, options.kb);
        const steps = core.steps({ writeTrace: async () => undefined });
        const search = createSearch({ steps, knowledgeBases: core.knowledgeBases });
        return search({ knowledgeBase: options.kb, query }, { signal });
      });
      process.exitCode = reply.candidates.length === 0 ? EXIT.noAnswer : EXIT.ok;
      if (options.json === true) {
        process.stdout.write(`${JSON.stringify(reply)}\n`);
        return;
      }
      for (const stage of reply.degraded) process.stderr.write(`${stage}: not available, done without\n`);
      const shown = reply.candidates.slice(0, Math.max(1, Number(options.limit) || 10));
      process.stdout.write(shown.map(describe).join('\n'));
    });
}

function describe({ passage, scores, decision }: JudgedCandidate, index: number): string {
  const { rerank, dense, lexical } = scores;
  const figures = [
    rerank === undefined
      ? ''
      : `relevance ${rerank.sigmoid.toFixed(3)} (logit ${rerank.logit.toFixed(2)}, order ${rerank.order.toFixed(2)})`,
    dense === undefined ? '' : `dense ${dense.score.toFixed(3)} #${dense.rank}`,
    lexical === undefined ? '' : `lexical ${lexical.score.toFixed(2)} #${lexical.rank}`,
  ].filter((figure) => figure !== '');
  const text = passage.text.replaceAll(/\s+/g, ' ');
  return [
    `${index + 1}. ${[passage.title, ...passage.headings].join(' › ')} (${passage.documentId})`,
    `   ${decision}; ${figures.join('; ')}`,
    `   ${text.length > 160 ? `${text.slice(0, 159)}…` : text}`,
    '',
  ].join('\n');
}
