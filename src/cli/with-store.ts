import { type OpenedStore, openStore } from '../open-store.js';
import { createWinstonLogger } from '../telemetry/winston-logger.js';
import { readEnvironment } from './environment.js';
import { readConfigOrExit } from './serve-command.js';

/** The same file, or the same Redis, as a running server has open. */
export async function withStore<T>(run: (store: OpenedStore['store']) => Promise<T>): Promise<T> {
  const config = readConfigOrExit(readEnvironment());
  const logger = createWinstonLogger({ level: 'warn', style: 'text', colors: false, stream: process.stderr });
  const { store, close } = await openStore(config, logger);
  try {
    return await run(store);
  } finally {
    await close();
  }
}
