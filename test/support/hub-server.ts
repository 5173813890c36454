import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface HubServer {
  url: string;
  /** Path and range of each file request, in order. */
  readonly downloads: { path: string; range: string | undefined }[];
  /** Ends the connection once after so many bytes of that file. */
  breakAfter(path: string, bytes: number): void;
  /** Sends other bytes than the tree describes. */
  damage(path: string): void;
  close(): Promise<void>;
}

const REVISION = 'c0ffee'.repeat(6).padEnd(40, '0');

/** A hub in Hugging Face's layout over folders: model info, file tree, files with ranges. */
export async function startHubServer(repositories: Record<string, string>): Promise<HubServer> {
  const downloads: HubServer['downloads'] = [];
  const damaged = new Set<string>();
  const breaks = new Map<string, number>();

  const sendFile = (dir: string, path: string, request: IncomingMessage, response: ServerResponse): void => {
    const { range } = request.headers;
    downloads.push({ path, range });
    const bytes = readFileSync(join(dir, path));
    if (damaged.has(path)) bytes[0] = (bytes[0] as number) ^ 255;
    const start = Number(range?.match(/^bytes=(\d+)-$/)?.[1] ?? 0);
    const rest = bytes.subarray(start);
    response.writeHead(range === undefined ? 200 : 206, { 'content-length': rest.length });
    const end = breaks.get(path);
    breaks.delete(path);
    if (end === undefined) response.end(rest);
    else response.write(rest.subarray(0, end), () => response.destroy());
  };

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://hub');
    const [, repository, revision, path] = pathname.match(/^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/) ?? [];
    const asked = pathname.match(/^\/api\/models\/([^/]+\/[^/]+)(\/tree\/[^/]+)?$/);
    const dir = repositories[repository ?? asked?.[1] ?? ''];
    if (dir === undefined) {
      response.writeHead(401).end('{"error":"Invalid username or password."}');
    } else if (path !== undefined && revision === REVISION) {
      sendFile(dir, path, request, response);
    } else if (asked?.[2] !== undefined) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(treeOf(dir)));
    } else {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ sha: REVISION, cardData: { license: 'apache-2.0' } }));
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    downloads,
    breakAfter: (path, bytes) => void breaks.set(path, bytes),
    damage: (path) => void damaged.add(path),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Large files are kept apart (LFS) and have a sha256; the others only git's hash. */
function treeOf(dir: string): object[] {
  const paths = readdirSync(dir, { recursive: true }) as string[];
  return paths.map((path) => {
    const stats = statSync(join(dir, path));
    if (stats.isDirectory()) return { type: 'directory', path, size: 0, oid: '0' };
    const bytes = readFileSync(join(dir, path));
    const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const isLarge = path.endsWith('.onnx');
    return {
      type: 'file',
      path,
      size: bytes.length,
      oid: isLarge ? '1'.repeat(40) : oid,
      ...(isLarge ? { lfs: { oid: sha256, size: bytes.length, pointerSize: 134 } } : {}),
    };
  });
}
