import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A contestant in a process of its own. */
export interface Peer {
  ask<Reply>(request: object): Promise<Reply>;
  close(): void;
}

/** @param name file in `peers/`, without extension */
export async function startPeer(name: string, modelsDir: string): Promise<Peer> {
  const path = fileURLToPath(new URL(`./peers/${name}.mjs`, import.meta.url));
  const child = fork(path, [modelsDir], { execArgv: [], serialization: 'advanced' });
  const waiting = new Map<number, { resolve: (reply: unknown) => void; reject: (error: Error) => void }>();
  let nextId = 1;
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code) => {
      const error = new Error(`The peer ${name} ended with code ${code}.`);
      reject(error);
      for (const request of waiting.values()) request.reject(error);
    });
  });
  child.on('message', (reply: { id: number }) => waiting.get(reply.id)?.resolve(reply));
  return {
    ask<Reply>(request: object) {
      const id = nextId++;
      return new Promise<Reply>((resolve, reject) => {
        waiting.set(id, { resolve: resolve as (reply: unknown) => void, reject });
        child.send({ id, ...request });
      });
    },
    close: () => void child.kill('SIGKILL'),
  };
}
