import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { AppError } from '../errors.js';
import { isExternalDataOf, precisionOfFile } from './model-import.js';
import type { Precision } from './model-manifest.js';

/** A hub of models in the Hugging Face layout, or a mirror of it. */
export interface Hub {
  /** `https://huggingface.co` or a mirror's address. */
  endpoint: string;
}

export interface DownloadProgress {
  file: string;
  receivedBytes: number;
  totalBytes: number;
}

const modelInfoSchema = z.looseObject({
  sha: z.string(),
  cardData: z.looseObject({ license: z.union([z.string(), z.array(z.string())]).optional() }).nullish(),
});
const treeSchema = z.array(
  z.looseObject({
    type: z.string(),
    path: z.string(),
    size: z.number(),
    /** git's hash of the blob. */
    oid: z.string(),
    lfs: z.looseObject({ oid: z.string(), size: z.number() }).optional(),
  }),
);
type HubFile = z.infer<typeof treeSchema>[number];

/** What stands beside the graphs and says what they are. */
const DESCRIPTIONS = new Set([
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'config_sentence_transformers.json',
  '1_Pooling/config.json',
]);
/** A connection that breaks is taken up again so many times, where it broke off. */
const ATTEMPTS = 5;
const PARTIAL = '.partial';

/** `organisation/name`, as the hub spells it. */
export const repositorySchema = z.string().regex(/^[\w][\w.-]*\/[\w][\w.-]*$/, 'must be organisation/name');

export interface PulledModel {
  /** The repository that the files came from: another one where the one asked for has no ONNX files. */
  repository: string;
  revision: string;
  license: string;
}

/**
 * Downloads the description, the tokenizer and the graphs of the wanted precisions (or the ones there are) into a
 * folder. What is already there and right is kept, what broke off goes on where it broke off, and each file must have
 * the hash that the hub states.
 *
 * @throws AppError `not-found`, `invalid`, `unavailable`
 */
export async function pullModel(
  hub: Hub,
  repository: string,
  targetDir: string,
  options: {
    precisions: readonly Precision[];
    signal: AbortSignal;
    onProgress?: (progress: DownloadProgress) => void;
  },
): Promise<PulledModel> {
  const { signal } = options;
  for (const candidate of withConversions(repository)) {
    const info = await readHub(hub, `/api/models/${candidate}`, modelInfoSchema, signal);
    if (info === undefined) {
      if (candidate === repository) throw new AppError('not-found', `The hub has no model ${repository}.`);
      continue;
    }
    const tree = await readHub(
      hub,
      `/api/models/${candidate}/tree/${info.sha}?recursive=true`,
      treeSchema,
      signal,
    );
    const wanted = chooseFiles(tree ?? [], options.precisions);
    if (wanted === undefined) continue;
    for (const file of wanted) {
      const url = `${hub.endpoint}/${candidate}/resolve/${info.sha}/${file.path}`;
      await downloadFile(url, file, join(targetDir, file.path), options);
    }
    const { license } = info.cardData ?? {};
    return {
      repository: candidate,
      revision: info.sha,
      license: (Array.isArray(license) ? license.join(', ') : license) || 'unknown',
    };
  }
  throw new AppError('invalid', `Neither ${repository} nor its known conversions have ONNX files.`);
}

/** Many models stand on the hub without ONNX files; these organisations convert the common ones. */
function withConversions(repository: string): string[] {
  const name = repository.split('/')[1] as string;
  return [repository, `onnx-community/${name}-ONNX`, `onnx-community/${name}`, `Xenova/${name}`];
}

/** Descriptions and, of the graphs, the first of each wanted precision; all there are where none is wanted. */
function chooseFiles(tree: readonly HubFile[], precisions: readonly Precision[]): HubFile[] | undefined {
  const files = tree.filter(({ type }) => type === 'file');
  const graphs = new Map<Precision, HubFile>();
  for (const file of files) {
    const precision = precisionOfFile(file.path);
    if (precision !== null && !graphs.has(precision)) graphs.set(precision, file);
  }
  if (graphs.size === 0) return undefined;
  const wanted = precisions.flatMap((precision) => graphs.get(precision) ?? []);
  const chosen = wanted.length > 0 ? wanted : [...graphs.values()];
  return files.filter(
    (file) =>
      DESCRIPTIONS.has(file.path) ||
      chosen.includes(file) ||
      chosen.some((graph) => isExternalDataOf(file.path, graph.path)),
  );
}

async function readHub<Schema extends z.ZodType>(
  { endpoint }: Hub,
  path: string,
  schema: Schema,
  signal: AbortSignal,
): Promise<z.output<Schema> | undefined> {
  const response = await fetch(`${endpoint}${path}`, { signal }).catch((cause: unknown) => {
    throw unreachable(cause, signal);
  });
  // The hub says 401 for repositories that do not exist, too.
  if (response.status === 404 || response.status === 401) return undefined;
  if (!response.ok) throw new AppError('unavailable', `The hub answered ${response.status}.`);
  try {
    return schema.parse(await response.json());
  } catch (cause) {
    throw new AppError('unavailable', 'The hub gave a reply of an unknown shape.', { cause });
  }
}

async function downloadFile(
  url: string,
  file: HubFile,
  path: string,
  options: { signal: AbortSignal; onProgress?: (progress: DownloadProgress) => void },
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if ((await sizeOf(path)) === file.size && (await hasRightHash(path, file))) return;

  const partial = `${path}${PARTIAL}`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await receive(url, file, partial, options);
      break;
    } catch (error) {
      const isFinal = error instanceof AppError || options.signal.aborted || attempt === ATTEMPTS;
      if (isFinal) throw error instanceof AppError ? error : unreachable(error, options.signal);
    }
  }
  if (!(await hasRightHash(partial, file))) {
    await rm(partial);
    throw new AppError('unavailable', `${file.path} did not arrive as the hub describes it; pull again.`);
  }
  await rename(partial, path);
}

/** Appends to what has arrived so far, where the server can do that. */
async function receive(
  url: string,
  file: HubFile,
  partial: string,
  { signal, onProgress }: { signal: AbortSignal; onProgress?: (progress: DownloadProgress) => void },
): Promise<void> {
  const already = await sizeOf(partial);
  if (already === file.size) return;
  const begin = already < file.size ? already : 0;
  const response = await fetch(url, { signal, headers: begin > 0 ? { range: `bytes=${begin}-` } : {} });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new AppError('unavailable', `The hub answered ${response.status} for ${file.path}.`);
  }
  const resumes = response.status === 206;
  let receivedBytes = resumes ? begin : 0;
  const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
  body.on('data', (chunk: Buffer) => {
    receivedBytes += chunk.length;
    onProgress?.({ file: file.path, receivedBytes, totalBytes: file.size });
  });
  await pipeline(body, createWriteStream(partial, { flags: resumes ? 'a' : 'w' }), { signal });
  if (receivedBytes < file.size) throw new Error('The connection ended early.');
}

/** Large files have a sha256; for the others the hub states git's hash of the blob. */
async function hasRightHash(path: string, file: HubFile): Promise<boolean> {
  const hash = createHash(file.lfs === undefined ? 'sha1' : 'sha256');
  if (file.lfs === undefined) hash.update(`blob ${file.size}\0`);
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex') === (file.lfs?.oid ?? file.oid);
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

function unreachable(cause: unknown, signal: AbortSignal): AppError {
  if (signal.aborted) return new AppError('stopped', undefined, { cause });
  return new AppError('unavailable', 'The hub cannot be reached; HF_ENDPOINT names a mirror.', { cause });
}
