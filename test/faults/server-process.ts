import { join } from 'node:path';
import { SAMPLE_KNOWLEDGE, writeFiles } from '../support/app.js';
import type { RunningCommand } from '../support/command.js';
import { freePort } from '../support/free-port.js';
import { createInstallation } from '../support/installation.js';

/** Askbase as it is run: a process of its own, which can be killed and started again on what it wrote. */
export interface ServerProcess {
  url: string;
  dataDir: string;
  start(): Promise<void>;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Asks it to end; resolves with its exit code. */
  terminate(): Promise<number | null>;
  remove(): Promise<void>;
}

export async function createServerProcess(env: Record<string, string>): Promise<ServerProcess> {
  const installation = createInstallation();
  writeFiles(join(installation.dir, 'knowledge'), SAMPLE_KNOWLEDGE);
  const port = await freePort();
  let running: RunningCommand | undefined;
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    running?.child.kill(signal);
    const finished = await running?.finished;
    running = undefined;
    return finished?.code ?? null;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    dataDir: installation.env.DATA_DIR as string,
    async start() {
      running = installation.serve({
        HOST: '127.0.0.1',
        PORT: String(port),
        LIMIT_PER_SOCKET: 'questions=100000',
        LIMIT_PER_ADDRESS: 'questions=100000',
        REQUESTS_PER_MINUTE: '100000',
        ...env,
      });
      await running.writes(/listens on/);
      await running.writes(/knowledge folder is indexed/);
    },
    kill: async () => void (await end('SIGKILL')),
    terminate: () => end('SIGTERM'),
    async remove() {
      await end('SIGKILL');
      installation.remove();
    },
  };
}
