import { AppError } from '../errors.js';

const MOST_CHARACTERS = 512;

/**
 * The one spelling of a document's path inside its knowledge base: `/`-separated, NFC, relative.
 *
 * @throws AppError `invalid` for paths that are empty, too long, absolute or lead upwards
 */
export function normalizeDocumentId(path: string): string {
  const id = path.replaceAll('\\', '/').normalize('NFC');
  const parts = id.split('/');
  const isPlain = parts.every((part) => part !== '' && part !== '.' && part !== '..');
  if (!isPlain || id.length > MOST_CHARACTERS || /\p{Cc}|\p{Surrogate}/u.test(id)) {
    throw new AppError('invalid', 'A document needs a relative path of at most 512 characters as its name.');
  }
  return id;
}
