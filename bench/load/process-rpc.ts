import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

// biome-ignore lint/suspicious/noExplicitAny: a method may take anything that JSON can carry
type Method = (...args: any[]) => unknown;
type Methods = Record<string, Method>;

/** A part of the bench in a process of its own, so that what it uses can be told apart from what the others use. */
export interface BenchProcess<M> {
  call<K extends keyof M & string>(
    method: K,
    ...args: M[K] extends Method ? Parameters<M[K]> : never
  ): Promise<M[K] extends Method ? Awaited<ReturnType<M[K]>> : never>;
  stop(): Promise<void>;
}

type Reply = { id: number; result?: unknown; error?: string };

/** Compiled, as the server runs: the source loader names each closure as it is made, which costs as much as the rest. */
const COMPILED = join(process.cwd(), 'dist/bench/bench/load');

/** @param module a file beside this one, without extension, that calls `serveMethods` */
export async function startProcess<M>(
  module: string,
  env: Record<string, string> = {},
): Promise<BenchProcess<M>> {
  const child: ChildProcess = fork(join(COMPILED, `${module}.js`), [], {
    execArgv: ['--expose-gc'],
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, { resolve(result: never): void; reject(error: Error): void }>();
  let lastId = 0;
  child.on('message', ({ id, result, error }: Reply) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(result as never);
    else call?.reject(new Error(`${module}: ${error}`));
  });
  child.once('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`${module} ended with ${code ?? signal}`));
    waiting.clear();
  });
  const call: BenchProcess<M>['call'] = (method, ...args) =>
    new Promise((resolve, reject) => {
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      child.send({ id: lastId, method, args });
    });
  await once(child, 'spawn');
  return {
    call,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    },
  };
}

/** Offers methods to the process that started this one. */
export function serveMethods<M extends Methods>(methods: M): void {
  process.on('message', ({ id, method, args }: { id: number; method: string; args: unknown[] }) => {
    void (async () => methods[method]?.(...args))().then(
      (result) => process.send?.({ id, result }),
      (error: unknown) => process.send?.({ id, error: String(error) }),
    );
  });
}

/** Microseconds of the machine's monotonic clock: the same in every process. */
export function clock(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** A word that says when it was written. */
export function timedWord(): string {
  return `k${clock().toString(36)}`;
}

/** When each timed word in a text was written. */
export function timesIn(text: string): number[] {
  return [...text.matchAll(/k([0-9a-z]{6,})/g)].map((match) => Number.parseInt(match[1] as string, 36));
}
