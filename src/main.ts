import { readEnvironment } from './cli/environment.js';
import { startServer } from './cli/serve-command.js';

await startServer(readEnvironment());
