import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT_DIR, SAMPLE_KNOWLEDGE, writeFiles } from '../support/app.js';
import { type RunningCommand, startCommand } from '../support/command.js';
import { freePort } from '../support/free-port.js';
import { TINY_EMBEDDER, TINY_RERANKER, writeTinyModels } from '../support/tiny-models.js';

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
  const dir = mkdtempSync(join(tmpdir(), 'askbase-fault-'));
  writeTinyModels(join(dir, 'models'));
  writeFiles(join(dir, 'knowledge'), SAMPLE_KNOWLEDGE);
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
    dataDir: join(dir, 'data'),
    async start() {
      running = startCommand('main.ts', [], {
        cwd: ROOT_DIR,
        env: {
          HOST: '127.0.0.1',
          PORT: String(port),
          DATA_DIR: join(dir, 'data'),
          MODELS_DIR: join(dir, 'models'),
          KNOWLEDGE_DIR: join(dir, 'knowledge'),
          EMBED_MODEL: TINY_EMBEDDER,
          RERANK_MODEL: TINY_RERANKER,
          EMBED_DEVICE: 'cpu',
          RERANK_DEVICE: 'cpu',
          LIMIT_PER_SOCKET: 'questions=100000',
          LIMIT_PER_ADDRESS: 'questions=100000',
          REQUESTS_PER_MINUTE: '100000',
          ...env,
        },
      });
      await running.writes(/listens on/);
      await running.writes(/knowledge folder is indexed/);
    },
    kill: async () => void (await end('SIGKILL')),
    terminate: () => end('SIGTERM'),
    async remove() {
      await end('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
