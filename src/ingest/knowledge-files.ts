import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { CONFIG_FILE, codeOf, type FileProblem } from './load-knowledge-bases.js';

/** A file of a knowledge base that should be a document. */
export interface KnowledgeFile {
  documentId: string;
  /** Path on disk. */
  path: string;
}

export interface KnowledgeFiles {
  /** Ordered by document id. */
  files: KnowledgeFile[];
  /** `file` is a path inside the knowledge base. */
  problems: FileProblem[];
  /** False where a folder could not be read: what is missing in `files` may still be there. */
  complete: boolean;
}

/** What lies beside documents and is none: pictures they show, files of the desktop, locks of office programs. */
const IGNORED_EXTENSIONS = new Set('.png .jpg .jpeg .gif .webp .svg .ico .css .js .tmp .bak .swp'.split(' '));
const IGNORED_NAME = /^(?:\.|~\$)|^(?:thumbs\.db|desktop\.ini)$|~$/i;

/** Whether a file or folder is passed over without a word. */
export function isIgnoredName(name: string): boolean {
  return IGNORED_NAME.test(name) || IGNORED_EXTENSIONS.has(extname(name).toLowerCase());
}

/**
 * Lists a knowledge base's files at any depth. Names are NFC and `/`-separated, whatever the file system says. Links
 * to files inside the folder are followed; links out of it, and links to folders, are reported and not followed.
 */
export async function listKnowledgeFiles(root: string): Promise<KnowledgeFiles> {
  const found: KnowledgeFiles = { files: [], problems: [], complete: true };
  const realRoot = await realpath(root);
  const seen = new Set<string>();

  const visit = async (folder: string): Promise<void> => {
    for (const entry of await readFolder(folder)) {
      const path = join(folder, entry.name);
      const documentId = relative(root, path).split(sep).join('/').normalize('NFC');
      if (isIgnoredName(entry.name) || documentId === CONFIG_FILE) continue;
      const problem = entry.isDirectory() ? null : await refusalOf(entry, path, realRoot);
      if (entry.isDirectory()) await visit(path);
      else if (problem !== null) found.problems.push({ file: documentId, reason: problem });
      else if (seen.has(documentId))
        found.problems.push({ file: documentId, reason: 'two files have this name' });
      else {
        seen.add(documentId);
        found.files.push({ documentId, path });
      }
    }
  };
  const readFolder = async (folder: string): Promise<Dirent[]> => {
    try {
      return await readdir(folder, { withFileTypes: true });
    } catch (thrown) {
      found.complete = false;
      const file = relative(root, folder).split(sep).join('/');
      found.problems.push({ file, reason: `the folder cannot be read (${codeOf(thrown)})` });
      return [];
    }
  };

  await visit(root);
  found.files.sort((a, b) => (a.documentId < b.documentId ? -1 : 1));
  return found;
}

/** Null where the entry is a file to read. */
async function refusalOf(entry: Dirent, path: string, realRoot: string): Promise<string | null> {
  if (entry.isFile()) return null;
  if (!entry.isSymbolicLink()) return 'it is not a file';
  try {
    const target = await realpath(path);
    if (!target.startsWith(realRoot + sep)) return 'it is a link out of the folder';
    return (await stat(target)).isFile() ? null : 'it is a link to a folder';
  } catch (thrown) {
    return `it is a link to nowhere (${codeOf(thrown)})`;
  }
}
