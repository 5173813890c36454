import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { childEntry } from '../../src/child-entry.js';

/**
 * Starts a module of this folder as a process, kills it with SIGKILL after it has written that many lines, and gives
 * every line it got out.
 */
export async function killAfterLines(module: string, args: string[], count: number): Promise<string[]> {
  const { path, execArgv } = childEntry(import.meta.url, module);
  const child = fork(path, args, { execArgv, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    lines.push(line);
    if (lines.length === count) child.kill('SIGKILL');
  }
  await exited;
  return lines;
}
