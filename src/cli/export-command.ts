import type { Command } from 'commander';
import { exportIndex } from '../retrieve/export-index.js';
import { withIndex } from './open-core.js';
import { createPace, createProgress } from './terminal.js';
import { writeLines } from './write-lines.js';

export function registerExportCommand(program: Command): void {
  program
    .command('export')
    .description('write passages with their vectors to a file, to take them to another index')
    .argument('<file>', 'shop.jsonl, or shop.jsonl.gz to compress; - is standard output')
    .option('--kb <name...>', 'these knowledge bases only', [])
    .action(async (file: string, { kb }: { kb: string[] }) => {
      const progress = createProgress(process.stderr);
      const pace = createPace('documents');
      let documents = 0;
      await withIndex((index, signal) => {
        const lines = exportIndex({
          index,
          knowledgeBases: kb,
          signal,
          onProgress: ({ done, total }) => {
            documents = done;
            progress.show(`Exporting ${pace(done, total)}`);
          },
        });
        return writeLines(file, lines);
      }).finally(progress.clear);
      process.stderr.write(`${documents} documents exported\n`);
    });
}
