import type { InferenceEngine } from '../inference/inference-engine.js';
import type { Metrics } from './metrics.js';

/** Shows which model runs on which device, and whether it is in use. */
export function watchEngine(engine: Pick<InferenceEngine, 'status'>, metrics: Metrics): void {
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
}
