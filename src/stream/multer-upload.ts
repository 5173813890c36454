import type { IncomingMessage } from 'node:http';
import multer, { MulterError, type StorageEngine } from 'multer';
import { AppError } from '../errors.js';
import type { UploadedFile } from './document-service.js';

export interface UploadLimits {
  files: number;
  /** Of one file. */
  fileBytes: number;
  /** Of all files of a request: they are held in memory. */
  totalBytes: number;
}

type ExpressRequest = Parameters<ReturnType<ReturnType<typeof multer>['any']>>[0];
type ExpressResponse = Parameters<ReturnType<ReturnType<typeof multer>['any']>>[1];

/** Files of a multipart request, whatever their fields are called. Throws AppError `too-large` or `invalid`. */
export type ReadUpload = (request: ExpressRequest, response: ExpressResponse) => Promise<UploadedFile[]>;

export function createReadUpload(limits: UploadLimits): ReadUpload {
  const read = multer({
    storage: createBoundedMemory(limits.totalBytes),
    limits: { files: limits.files, fileSize: limits.fileBytes, fields: 0, headerPairs: 50 },
    preservePath: true,
    // Browsers send file names as UTF-8; the default reads them as Latin-1.
    defParamCharset: 'utf8',
  }).any();
  return (request, response) =>
    new Promise((resolve, reject) => {
      void read(request, response, (thrown: unknown) => {
        if (thrown !== undefined && thrown !== null) return reject(toUploadError(thrown));
        const files = Array.isArray(request.files) ? request.files : [];
        resolve(files.map(({ originalname, buffer }) => ({ name: originalname, bytes: buffer })));
      });
    });
}

/** Multer's own memory storage bounds each file, not all of them together. */
function createBoundedMemory(totalBytes: number): StorageEngine {
  const held = new WeakMap<IncomingMessage, number>();
  return {
    _handleFile(request, file, done) {
      const chunks: Buffer[] = [];
      file.stream.on('data', (chunk: Buffer) => {
        const total = (held.get(request) ?? 0) + chunk.length;
        held.set(request, total);
        if (total <= totalBytes) chunks.push(chunk);
        else chunks.length = 0;
      });
      file.stream.on('error', done);
      file.stream.on('end', () => {
        if ((held.get(request) ?? 0) > totalBytes)
          done(new AppError('too-large', 'The files are too large.'));
        else done(null, { buffer: Buffer.concat(chunks) });
      });
    },
    _removeFile(_request, _file, done) {
      done(null);
    },
  };
}

function toUploadError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const code = thrown instanceof MulterError ? thrown.code : undefined;
  if (code === 'LIMIT_FILE_SIZE') return new AppError('too-large', 'A file is too large.', { cause: thrown });
  if (code === 'LIMIT_FILE_COUNT')
    return new AppError('too-large', 'Too many files at once.', { cause: thrown });
  return new AppError('invalid', 'The multipart body is not valid.', { cause: thrown });
}
