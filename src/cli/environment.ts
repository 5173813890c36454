import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The project's folder: relative paths of the configuration start here. The same from src/ and from dist/. */
export const ROOT_DIR = fileURLToPath(new URL('../..', import.meta.url));

/** The environment, with what `.env` of the current folder adds (a variable that is already set wins). */
export function readEnvironment(): NodeJS.ProcessEnv {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}
