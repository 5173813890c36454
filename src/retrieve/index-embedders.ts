import type { Embedder } from './embedder.js';

/** An embedder with a lifetime. */
export interface OpenEmbedder {
  embedder: Embedder;
  close(): Promise<void>;
}

export interface IndexEmbeddersOptions {
  /** What new passages are embedded with; null where it is not installed. */
  configured: Embedder | null;
  /** Loads another one by the name that is kept in the index; null where it is not to be had any more. */
  open: (model: string) => Promise<OpenEmbedder | null>;
}

/** The embedder a question needs: that of the index, which is not the configured one while the index goes over to it. */
export interface IndexEmbedders {
  /** Null where that embedder is not to be had. The first call for a former one waits until it is loaded. */
  of(made: { embedder: string; dimensions: number }): Promise<Embedder | null>;
  /** Frees a former one: call it when the index has gone over. It is loaded again if it is asked for again. */
  release(): Promise<void>;
}

export function createIndexEmbedders({ configured, open }: IndexEmbeddersOptions): IndexEmbedders {
  let former: { model: string; opened: Promise<OpenEmbedder | null> } | null = null;

  const release = async (): Promise<void> => {
    const { opened } = former ?? {};
    former = null;
    await (await opened?.catch(() => null))?.close();
  };
  const openFormer = (model: string): Promise<OpenEmbedder | null> => {
    if (former?.model !== model) {
      void release();
      former = { model, opened: open(model) };
    }
    return former.opened;
  };

  return {
    of: async ({ embedder: model, dimensions }) => {
      if (model === 'none') return null;
      const found = configured?.model === model ? configured : (await openFormer(model))?.embedder;
      return found?.dimensions === dimensions ? found : null;
    },
    release,
  };
}
