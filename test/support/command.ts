import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface FinishedCommand {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunningCommand {
  child: ChildProcessWithoutNullStreams;
  /** Resolves with the first match in what the command has written to either stream. Rejects where it ends before. */
  writes(pattern: RegExp): Promise<RegExpExecArray>;
  finished: Promise<FinishedCommand>;
}

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

/** Starts `cli/askbase.ts` or `main.ts` as a process of its own, its output into pipes. */
export function startCommand(
  module: 'cli/askbase.ts' | 'main.ts',
  args: readonly string[],
  { env, cwd }: { env: Record<string, string>; cwd: string },
): RunningCommand {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), SRC + module, ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
  });
  let stdout = '';
  let stderr = '';
  const finished = new Promise<FinishedCommand>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return {
    child,
    finished,
    writes: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(stdout + stderr);
          if (match !== null) resolve(match);
        };
        child.stdout.on('data', look);
        child.stderr.on('data', look);
        void finished.then(() => reject(new Error(`ended without ${pattern}:\n${stdout}${stderr}`)));
        look();
      }),
  };
}
