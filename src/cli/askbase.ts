#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { AppError } from '../errors.js';
import { registerAskCommand } from './ask-command.js';
import { registerBackupCommands } from './backup-command.js';
import { registerCalibrateCommand } from './calibrate-command.js';
import { registerEvalCommand } from './eval-command.js';
import { EXIT } from './exit-codes.js';
import { registerExportCommand } from './export-command.js';
import { registerFeedbackCommand } from './feedback-command.js';
import { registerImportCommand } from './import-command.js';
import { registerIngestCommand } from './ingest-command.js';
import { registerKeysCommand } from './keys-command.js';
import { registerModelsCommand } from './models-command.js';
import { registerSearchCommand } from './search-command.js';
import { readVersion, registerServeCommand } from './serve-command.js';

const program = new Command('askbase')
  .description('Answers questions from your own knowledge.')
  .version(readVersion())
  .exitOverride()
  // `eval answers --json`: an option behind a command is that command's, here and in `eval`.
  .enablePositionalOptions()
  .addHelpText(
    'after',
    `
Exit codes: ${EXIT.ok} done, ${EXIT.failed} failed, ${EXIT.usage} wrong command line or configuration, \
${EXIT.noAnswer} nothing found to answer with, or to learn from.
Settings come from the environment and from .env; .env.example explains them.`,
  );

registerServeCommand(program);
registerIngestCommand(program);
registerAskCommand(program);
registerSearchCommand(program);
registerKeysCommand(program);
registerExportCommand(program);
registerImportCommand(program);
registerBackupCommands(program);
registerModelsCommand(program);
registerEvalCommand(program);
registerCalibrateCommand(program);
registerFeedbackCommand(program);

try {
  await program.parseAsync();
} catch (thrown) {
  if (thrown instanceof CommanderError) {
    // Commander has said what is wrong, or shown the help that was asked for.
    process.exitCode = thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else if (thrown instanceof AppError) {
    process.stderr.write(`${thrown.message}\n`);
    process.exitCode = thrown.code === 'invalid' || thrown.code === 'too-large' ? EXIT.usage : EXIT.failed;
  } else throw thrown;
}
