import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.js';

export interface RedisServer {
  url: string;
  /** Ends it at once, as kill -9 does. */
  kill(): Promise<void>;
  /** Holds it still, as a machine that hangs does. */
  freeze(): void;
  thaw(): void;
  /** Starts it again on the same port and folder. */
  restart(): Promise<void>;
  /** Forgets everything. */
  empty(): Promise<void>;
  close(): Promise<void>;
}

/** What a report says where there is no server to test on. */
export const NO_REDIS = 'Redis is NOT tested: there is no redis-server on the PATH';

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

/** A server of our own on a free port, with a temporary folder, that flushes every write to the disk. */
export async function startRedis({
  appendfsync = 'always',
}: {
  appendfsync?: 'always' | 'everysec';
} = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'askbase-redis-'));
  const port = await freePort();
  const settings = { port, bind: '127.0.0.1', dir: folder, appendonly: 'yes', appendfsync, save: '' };
  const start = (): Promise<ChildProcess> => startProcess(settings);
  let child = await start();
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  const url = `redis://127.0.0.1:${port}`;
  return {
    url,
    kill,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async restart() {
      await kill();
      child = await start();
    },
    async empty() {
      spawnSync('redis-cli', ['-p', String(port), 'flushall']);
    },
    async close() {
      await kill();
      await rm(folder, { recursive: true });
    },
  };
}

async function startProcess(settings: Record<string, string | number>): Promise<ChildProcess> {
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const seen: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      seen.push(line);
      if (line.includes('Ready to accept connections')) resolve();
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}:\n${seen.join('\n')}`)));
  });
  return child;
}
