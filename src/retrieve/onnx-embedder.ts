import type { InferenceEngine } from '../inference/inference-engine.js';
import type { Embedder } from './embedder.js';

/** An embedder of the models folder; null where it is not installed (the engine's status says why). */
export function createOnnxEmbedder(options: { engine: InferenceEngine; model: string }): Embedder | null {
  const { engine, model } = options;
  const manifest = engine.manifest(model);
  if (manifest?.kind !== 'embedder') return null;
  return {
    model,
    dimensions: manifest.dimensions,
    embed: (texts, { kind, signal }) => engine.embed(model, texts, { kind, signal }),
  };
}
