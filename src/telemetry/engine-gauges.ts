import type { EngineSnapshot, InferenceEngine } from '../inference/inference-engine.js';
import type { Figure, Metrics } from './metrics.js';

/** Shows which model runs on which device, how much waits for it, and what its caches spare. */
export function watchEngine(engine: Pick<InferenceEngine, 'status' | 'snapshot'>, metrics: Metrics): void {
  metrics.watch({
    name: 'askbase_model_ready',
    help: 'Models for embedding and reranking: 1 where in use on this device, 0 where not ready.',
    labelNames: ['model', 'kind', 'device', 'precision'],
    read: () =>
      engine.status().map(({ name, kind, device, precision, ready }) => ({
        labels: { model: name, kind, device: device ?? 'none', precision: precision ?? 'none' },
        value: ready ? 1 : 0,
      })),
  });
  const watchSnapshot = (
    name: string,
    help: string,
    label: string,
    figuresOf: (snapshot: EngineSnapshot) => Figure[],
  ): void =>
    metrics.watch({ name, help, labelNames: [label], read: async () => figuresOf(await engine.snapshot()) });

  watchSnapshot(
    'askbase_inference_queued_sequences',
    'Sequences that wait for a run, by device.',
    'pool',
    ({ process }) =>
      Object.entries(process?.pools ?? {}).map(([pool, { queuedSequences }]) => ({
        labels: { pool },
        value: queuedSequences,
      })),
  );
  watchSnapshot(
    'askbase_inference_cache_hits',
    'Lookups that a cache answered since the start.',
    'cache',
    (snapshot) => cacheFigures(snapshot, 'hits'),
  );
  watchSnapshot(
    'askbase_inference_cache_misses',
    'Lookups that a cache could not answer since the start.',
    'cache',
    (snapshot) => cacheFigures(snapshot, 'misses'),
  );
  watchSnapshot(
    'askbase_inference_restarts',
    'Times the inference process died and was started again.',
    'process',
    ({ restarts }) => [{ labels: { process: 'inference' }, value: restarts }],
  );
}

function cacheFigures({ scores, process }: EngineSnapshot, count: 'hits' | 'misses'): Figure[] {
  return [
    { labels: { cache: 'scores' }, value: scores[count] },
    ...(process === null ? [] : [{ labels: { cache: 'passage-ids' }, value: process.passageIds[count] }]),
  ];
}
