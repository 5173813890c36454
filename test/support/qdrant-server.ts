import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';

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

/** One of ours, whose process and folder can be looked at. */
export interface OwnQdrantServer extends QdrantServer {
  folder: string;
  pid(): number;
}

/** The server at QDRANT_URL, else one of our own on a free port with a temporary folder. */
export async function startQdrant(): Promise<QdrantServer> {
  if (process.env.QDRANT_URL === undefined) return startOwnQdrant();
  const notOurs = async (): Promise<void> => {
    throw new Error('the server at QDRANT_URL is not ours to stop');
  };
  return { url: process.env.QDRANT_URL, kill: notOurs, restart: notOurs, close: async () => undefined };
}

/** Always a server of our own: tests that kill it need one. */
export async function startOwnQdrant(): Promise<OwnQdrantServer> {
  const folder = await mkdtemp(join(tmpdir(), 'askbase-qdrant-'));
  return startNode({ folder, http: await freePort(), grpc: await freePort() });
}

/** Nodes of one cluster on loopback ports; resolves when each of them knows the others. */
export async function startQdrantCluster(size: number): Promise<OwnQdrantServer[]> {
  const nodes: OwnQdrantServer[] = [];
  const addresses = await Promise.all(
    Array.from({ length: size }, async () => `http://127.0.0.1:${await freePort()}`),
  );
  for (const [number, uri] of addresses.entries()) {
    const folder = await mkdtemp(join(tmpdir(), `askbase-qdrant-${number}-`));
    const peer = { uri, first: number === 0 ? undefined : (addresses[0] as string) };
    nodes.push(await startNode({ folder, http: await freePort(), grpc: await freePort(), peer }));
  }
  await Promise.all(nodes.map(({ url }) => untilPeers(url, size)));
  return nodes;
}

interface NodeOptions {
  folder: string;
  http: number;
  grpc: number;
  /** Address between nodes, and that of the first one where this is another. */
  peer?: { uri: string; first: string | undefined };
}

async function startNode(options: NodeOptions): Promise<OwnQdrantServer> {
  let child = await startProcess(options);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  return {
    url: `http://127.0.0.1:${options.http}`,
    folder: options.folder,
    pid: () => child.pid as number,
    kill,
    restart: async () => {
      await kill();
      child = await startProcess(options);
    },
    close: async () => {
      await kill();
      await rm(options.folder, { recursive: true });
    },
  };
}

async function startProcess({ folder, http, grpc, peer }: NodeOptions): Promise<ChildProcess> {
  const bootstrap = peer?.first === undefined ? [] : ['--bootstrap', peer.first];
  const child = spawn(QDRANT_BINARY as string, peer === undefined ? [] : ['--uri', peer.uri, ...bootstrap], {
    cwd: folder,
    env: {
      ...process.env,
      QDRANT__SERVICE__HOST: '127.0.0.1',
      QDRANT__SERVICE__HTTP_PORT: String(http),
      QDRANT__SERVICE__GRPC_PORT: String(grpc),
      QDRANT__STORAGE__STORAGE_PATH: join(folder, 'storage'),
      QDRANT__STORAGE__SNAPSHOTS_PATH: join(folder, 'snapshots'),
      QDRANT__TELEMETRY_DISABLED: 'true',
      ...(peer === undefined
        ? {}
        : { QDRANT__CLUSTER__ENABLED: 'true', QDRANT__CLUSTER__P2P__PORT: new URL(peer.uri).port }),
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

/** The server has no call that waits for this. */
async function untilPeers(url: string, size: number): Promise<void> {
  for (;;) {
    const reply = (await (await fetch(`${url}/cluster`)).json()) as { result?: { peers?: object } };
    if (Object.keys(reply.result?.peers ?? {}).length === size) return;
    await wait(50);
  }
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
