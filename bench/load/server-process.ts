/** Askbase itself, with what it uses to be asked for. */
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { createWinstonLogger } from '../../src/telemetry/winston-logger.js';
import { serveMethods } from './process-rpc.js';
import { watchUsage } from './usage.js';

export type ServerMethods = typeof methods;

const ROOT = process.cwd();
const usage = watchUsage();
const logger = createWinstonLogger({ level: 'warn', style: 'text', colors: false, stream: process.stderr });
const starting = createApp(readConfig(process.env, ROOT), {
  logger,
  version: '0.0.0-bench',
  browserDir: `${ROOT}/dist`,
}).then(async (app) => {
  const { url } = await app.listen();
  await app.knowledgeRead();
  return url.replace('localhost', '127.0.0.1');
});

const methods = {
  /** Once its knowledge is read. */
  url: () => starting,
  usage,
};
serveMethods(methods);
