import { fileURLToPath, pathToFileURL } from 'node:url';

/** What a child process or worker thread needs to start from a module of ours. */
export interface ChildEntry {
  path: string;
  execArgv: string[];
}

/**
 * The file of a sibling module that runs in a process or thread of its own, and the flags to start it with: the
 * compiled file in production, the TypeScript source (through tsx) when we ourselves run from source.
 *
 * @param from `import.meta.url` of the caller
 * @param module relative path without extension: `./engine-process`
 */
export function childEntry(from: string, module: string): ChildEntry {
  const fromSource = from.endsWith('.ts');
  return {
    path: fileURLToPath(new URL(`${module}${fromSource ? '.ts' : '.js'}`, from)),
    // Resolved from here: the current folder need not be the project's.
    execArgv: fromSource ? ['--import', import.meta.resolve('tsx')] : [],
  };
}

/** What to give to `new Worker`: Node 20 does not carry tsx over to threads, so from source a thread registers it itself. */
export function threadUrl({ path, execArgv }: ChildEntry): URL {
  const file = pathToFileURL(path);
  if (execArgv.length === 0) return file;
  const tsx = import.meta.resolve('tsx/esm/api');
  const source = `import { register } from '${tsx}'; register(); await import('${file.href}');`;
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}
