import { DIMENSIONS, type SyntheticPassage, type SyntheticQuestion } from './index-corpus.js';
import { type Peer, startPeer } from './peer.js';

interface Reply<T> {
  result: T;
  /** Inside the peer: the way between the processes is not counted. */
  ms: number;
  error?: string;
}

/** LanceDB in a process of its own. */
export interface LancePeer {
  add(passages: readonly SyntheticPassage[]): Promise<number>;
  indexWords(): Promise<number>;
  indexVectors(): Promise<number>;
  hybrid(question: SyntheticQuestion, options: { limit: number; where?: string }): Promise<number>;
  dense(vector: Float32Array, limit: number): Promise<string[]>;
  close(): void;
}

/** All but `dense` resolve to milliseconds. */
export async function startLance(dir: string): Promise<LancePeer> {
  const peer: Peer = await startPeer('lancedb', dir);
  const call = async <T>(operation: string, input: object = {}): Promise<Reply<T>> => {
    const reply = await peer.ask<Reply<T>>({ operation, ...input });
    if (reply.error !== undefined) throw new Error(`LanceDB: ${reply.error}`);
    return reply;
  };
  await call('create', { dimensions: DIMENSIONS });
  return {
    add: async (passages) => {
      const rows = passages.map(({ passage, vector, words }) => ({
        id: passage.id,
        documentId: passage.documentId,
        language: passage.language,
        passage: JSON.stringify(passage),
        words: words.join(' '),
        vector,
      }));
      return (await call('add', { rows })).ms;
    },
    indexWords: async () => (await call('indexWords')).ms,
    indexVectors: async () => (await call('indexVectors')).ms,
    hybrid: async ({ vector, terms }, options) =>
      (await call('hybrid', { vector, words: terms.join(' '), ...options })).ms,
    dense: async (vector, limit) => (await call<string[]>('dense', { vector, limit })).result,
    close: peer.close,
  };
}
