import { Router } from 'express';
import type { Metrics } from '../telemetry/metrics.js';
import type { AnswerRunner } from './answer-runner.js';
import { type identify, needs } from './identify.js';
import { methodNotAllowed } from './request-errors.js';

/** One thing the server needs. More fields say more about it: the model, the device, the number of passages. */
export interface Readiness {
  ready: boolean;
  /** Why it is not ready; no secrets, no addresses with credentials. */
  reason?: string;
  [detail: string]: unknown;
}

/** The state of each dependency by name. Never rejects, answers within a second. */
export type CheckReadiness = () => Promise<Record<string, Readiness>>;

export interface OperationRoutesOptions {
  checkReadiness: CheckReadiness;
  runner: Pick<AnswerRunner, 'draining'>;
  metrics: Pick<Metrics, 'scrape'>;
  version: string;
  /** Metrics are for those who operate the server. */
  identify: ReturnType<typeof identify>;
}

/** For those who keep the server running. */
export function createOperationRoutes(options: OperationRoutesOptions): Router {
  const { checkReadiness, runner, metrics, version } = options;
  const router = Router();

  router
    .route('/healthz')
    .get((_request, response) => {
      response.json({ status: 'ok', version, uptimeSeconds: Math.round(process.uptime()) });
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/readyz')
    .get(async (_request, response) => {
      const server: Readiness = runner.draining ? { ready: false, reason: 'shutting down' } : { ready: true };
      const dependencies = { server, ...(await checkReadiness()) };
      const ready = Object.values(dependencies).every((dependency) => dependency.ready);
      response.status(ready ? 200 : 503).json({ ready, dependencies });
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/metrics')
    .get(options.identify, needs('operate'), async (_request, response) => {
      const { contentType, text } = await metrics.scrape();
      response.set('Content-Type', contentType).send(text);
    })
    .all(methodNotAllowed('GET'));

  return router;
}
