import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

export interface QdrantServer {
  url: string;
  /** Where a server of ours keeps what it stores. */
  folder?: string;
  /** Ends a server of ours at once, as kill -9 does. */
  kill(): Promise<void>;
  /** Starts it again on the same port and storage. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export const QDRANT_BINARY = findBinary();

/** What a report says where there is no server to test on. */
export const NO_QDRANT =
  'Qdrant is NOT tested: there is no QDRANT_URL, no QDRANT_BIN and no qdrant on the PATH';

/** Whether tests can reach or start a real server. */
export const hasQdrant = process.env.QDRANT_URL !== undefined || QDRANT_BINARY !== undefined;

/** The server at QDRANT_URL, else one of our own on a free port with a temporary folder. */
export async function startQdrant(): Promise<QdrantServer> {
  if (process.env.QDRANT_URL === undefined) return startOwnQdrant();
  const notOurs = async (): Promise<void> => {
    throw new Error('the server at QDRANT_URL is not ours to stop');
  };
  return { url: process.env.QDRANT_URL, kill: notOurs, restart: notOurs, close: async () => undefined };
}

/** Always a server of our own: tests that kill it need one. */
export async function startOwnQdrant(): Promise<QdrantServer> {
  const folder = await mkdtemp(join(tmpdir(), 'askbase-qdrant-'));
  const [httpPort, grpcPort] = [await freePort(), await freePort()];
  let child = await startProcess(folder, httpPort, grpcPort);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  return {
    url: `http://127.0.0.1:${httpPort}`,
    folder,
    kill,
    restart: async () => {
      await kill();
      child = await startProcess(folder, httpPort, grpcPort);
    },
    close: async () => {
      await kill();
      await rm(folder, { recursive: true });
    },
  };
}

async function startProcess(folder: string, httpPort: number, grpcPort: number): Promise<ChildProcess> {
  const child = spawn(QDRANT_BINARY as string, [], {
    cwd: folder,
    env: {
      ...process.env,
      QDRANT__SERVICE__HOST: '127.0.0.1',
      QDRANT__SERVICE__HTTP_PORT: String(httpPort),
      QDRANT__SERVICE__GRPC_PORT: String(grpcPort),
      QDRANT__STORAGE__STORAGE_PATH: join(folder, 'storage'),
      QDRANT__STORAGE__SNAPSHOTS_PATH: join(folder, 'snapshots'),
      QDRANT__TELEMETRY_DISABLED: 'true',
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout });
  const seen: string[] = [];
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      seen.push(line);
      if (line.includes('HTTP listening')) resolve();
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`qdrant ended with ${code}:\n${seen.join('\n')}`)));
  });
  return child;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function findBinary(): string | undefined {
  const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'qdrant'));
  return [process.env.QDRANT_BIN, ...onPath].find((path) => path !== undefined && isExecutable(path));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
