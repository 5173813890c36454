import type { InferenceEngine } from '../inference/inference-engine.js';
import type { Reranker } from './reranker.js';

/** A cross-encoder of the models folder; null where it is not installed (the engine's status says why). */
export function createOnnxReranker(options: { engine: InferenceEngine; model: string }): Reranker | null {
  const { engine, model } = options;
  const manifest = engine.manifest(model);
  if (manifest?.kind !== 'reranker') return null;
  return {
    model,
    threshold: manifest.threshold,
    answerability: manifest.answerability,
    lexicalWeight: manifest.lexicalWeight,
    score: (question, texts, { signal }) => engine.rerank(model, question, texts, { signal }),
  };
}
