import { fileURLToPath } from 'node:url';

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
    execArgv: fromSource ? ['--import', 'tsx'] : [],
  };
}
