import { setMaxListeners } from 'node:events';
import type { Config } from '../config.js';
import { type Core, createCore, openIndex } from '../core.js';
import { AppError } from '../errors.js';
import type { PassageIndex } from '../retrieve/passage-index.js';
import { createWinstonLogger } from '../telemetry/winston-logger.js';
import { readEnvironment } from './environment.js';
import { readConfigOrExit } from './serve-command.js';

/**
 * Runs a command on the knowledge itself, without a server; closes everything afterwards. Warnings go to standard error.
 *
 * @param dataDir an embedded index of its own, instead of the configured one
 */
export async function withCore<T>(
  run: (core: Core, signal: AbortSignal) => Promise<T>,
  { dataDir }: { dataDir?: string } = {},
): Promise<T> {
  const { qdrant, ...rest } = readConfigOrExit(readEnvironment());
  const config: Config =
    dataDir === undefined ? { ...rest, ...(qdrant === undefined ? {} : { qdrant }) } : { ...rest, dataDir };
  const level = config.logLevel === 'info' ? 'warn' : config.logLevel;
  const logger = createWinstonLogger({ level, style: 'text', colors: false, stream: process.stderr });
  return untilStopped(async (signal) => {
    const core = await createCore(config, { logger });
    try {
      await core.prepareIndex();
      await core.knowledgeFolder.load();
      await core.describeIndex();
      return await run(core, signal);
    } finally {
      await core.close();
    }
  });
}

/** Runs a command on the configured index as it is: no model is loaded, and nothing is made ready for one. */
export async function withIndex<T>(
  run: (index: PassageIndex, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const config = readConfigOrExit(readEnvironment());
  return untilStopped(async (signal) => {
    const { index } = await openIndex(config);
    try {
      return await run(index, signal);
    } finally {
      await index.close();
    }
  });
}

/** SIGINT and SIGTERM abort the signal: what is under way ends whole. */
async function untilStopped<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stopping = new AbortController();
  // Everything that is under way listens.
  setMaxListeners(0, stopping.signal);
  const stop = (): void => stopping.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await run(stopping.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

/** The knowledge base of that id. Throws AppError `not-found` naming those that are there. */
export function requireKnowledgeBase(
  core: Core,
  id: string,
): NonNullable<ReturnType<Core['knowledgeBases']['get']>> {
  const found = core.knowledgeBases.get(id);
  if (found !== undefined) return found;
  const known = core.knowledgeBases.list().map((knowledgeBase) => knowledgeBase.id);
  throw new AppError(
    'not-found',
    `There is no knowledge base "${id}". There is: ${known.join(', ') || 'none'}.`,
  );
}
