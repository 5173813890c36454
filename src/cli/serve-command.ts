import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { PromptError } from '../answer/prompts.js';
import { type App, createApp } from '../app.js';
import { type Config, ConfigError, readConfig } from '../config.js';
import { AppError } from '../errors.js';
import { readChosenModels } from '../inference/chosen-models.js';
import type { Logger } from '../telemetry/logger.js';
import { createWinstonLogger } from '../telemetry/winston-logger.js';
import { ROOT_DIR, readEnvironment } from './environment.js';
import { EXIT } from './exit-codes.js';
import { createProgress, progressBar } from './terminal.js';

/** Running answers may end after a stop signal. */
const DRAIN_MS = 30_000;

export function registerServeCommand(program: Command): void {
  program
    .command('serve')
    .description('serve the chat page, HTTP and socket.io (what `npm start` does)')
    .option('--host <address>', 'address to listen on (HOST)')
    .option('--port <number>', 'port to listen on (PORT)')
    .action(async ({ host, port }: { host?: string; port?: string }) => {
      const env = readEnvironment();
      await startServer({ ...env, HOST: host ?? env.HOST, PORT: port ?? env.PORT });
    });
}

/** Reads the configuration, serves until SIGTERM or SIGINT, drains and exits. */
export async function startServer(env: Record<string, string | undefined>): Promise<void> {
  const config = readConfigOrExit(env);
  const logger = createServerLogger(config);
  const progress = createProgress(process.stderr);
  let app: App;
  try {
    app = await createApp(config, {
      logger,
      version: readVersion(),
      browserDir: fileURLToPath(new URL('../../dist', import.meta.url)),
      onProgress: ({ done, total, file }) => progress.show(`Indexing ${progressBar(done, total)} ${file}`),
    });
    const { url } = await app.listen();
    logger.info(`Askbase ${readVersion()} listens on ${url}`);
  } catch (thrown) {
    refuseToStart(thrown, config, logger);
    return;
  }
  exitOnSignal(app, logger);
  await app.knowledgeRead().catch(() => undefined);
  progress.clear();
}

/** What `askbase models use` chose stands where the environment says nothing. */
export function readConfigOrExit(env: Record<string, string | undefined>): Config {
  try {
    const config = readConfig(env, ROOT_DIR);
    return readConfig({ ...readChosenModels(config.dataDir), ...withoutEmpty(env) }, ROOT_DIR);
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    process.stderr.write(`${thrown.message}\n`);
    process.exit(EXIT.usage);
  }
}

function withoutEmpty(env: Record<string, string | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
}

function createServerLogger({ logLevel, production }: Config): Logger {
  const stream = process.stdout;
  const style = production ? 'json' : 'text';
  return createWinstonLogger({
    level: logLevel,
    style,
    colors: stream.isTTY === true && !production,
    stream,
  });
}

/** What a person can mend is said in one line; anything else keeps its stack. */
function refuseToStart(thrown: unknown, { host, port }: Config, logger: Logger): void {
  process.exitCode = EXIT.failed;
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'EADDRINUSE') logger.error(`Port ${port} is in use: set PORT, or stop the other program.`);
  else if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    logger.error(`Cannot listen on ${host}:${port}: ${code}.`);
  } else if (thrown instanceof PromptError || thrown instanceof AppError) logger.error(thrown.message);
  else logger.error('The server could not start.', { error: thrown });
  // Parts that were opened before the failure would keep the process alive.
  setTimeout(() => process.exit(), 200);
}

function exitOnSignal(app: App, logger: Logger): void {
  let stopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (stopping) process.exit(EXIT.failed);
    stopping = true;
    logger.info(`${signal}: refusing new questions, letting running answers end.`);
    setTimeout(() => process.exit(EXIT.failed), DRAIN_MS + 5_000).unref();
    await app.close({ drainMs: DRAIN_MS });
    logger.info('Stopped.');
    process.exit(EXIT.ok);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
}

export function readVersion(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT_DIR, 'package.json'), 'utf8')) as { version: string };
  return version;
}
