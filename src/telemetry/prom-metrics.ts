import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Metrics } from './metrics.js';

/** Seconds: an answer's stages take from a millisecond to a minute. */
const BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function createPromMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const http = new Histogram({
    name: 'askbase_http_request_seconds',
    help: 'Duration of HTTP requests, streams included.',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
    registers,
  });
  const stages = new Histogram({
    name: 'askbase_stage_seconds',
    help: 'Duration of the stages of an answer; first-token counts from the start of the answer stage.',
    labelNames: ['stage', 'outcome'],
    buckets: BUCKETS,
    registers,
  });
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> =>
    new Counter({ name: `askbase_${name}_total`, help, labelNames, registers });
  const answers = counter('answers', 'Answers that ended.', ['status', 'reason']);
  const degraded = counter('degraded', 'Answers given without a stage that failed.', ['stage']);
  const tokens = counter('tokens', 'Tokens of the language model.', ['model', 'kind']);
  const cost = counter('cost', 'What the tokens cost, in the currency of CHAT_PRICES.', ['model']);
  const invented = counter('citations_invented', 'Citations of sources that were not there.', []);
  const sentences = counter('sentences_checked', 'Sentences compared with their sources.', ['verdict']);

  const instructions = counter(
    'instructions_found',
    'Questions and passages that give orders to the model.',
    ['where'],
  );
  const links = counter('links_removed', 'Links the model wrote that no passage names.', []);

  return {
    httpAnswered({ method, route, status, seconds }) {
      http.observe({ method, route, status }, seconds);
    },
    answerEnded({ status, reason }) {
      answers.inc({ status, reason });
    },
    stageEnded(stage, { outcome, seconds }) {
      stages.observe({ stage, outcome }, seconds);
    },
    stageDegraded(stage) {
      degraded.inc({ stage });
    },
    tokensUsed({ model, promptTokens, completionTokens }) {
      tokens.inc({ model, kind: 'prompt' }, promptTokens);
      tokens.inc({ model, kind: 'completion' }, completionTokens);
    },
    costArisen({ model, amount }) {
      cost.inc({ model }, amount);
    },
    citationsInvented(count) {
      invented.inc(count);
    },
    instructionsFound(where) {
      instructions.inc({ where });
    },
    linksRemoved(count) {
      links.inc(count);
    },
    sentenceChecked(verdict) {
      sentences.inc({ verdict });
    },
    watch({ name, help, labelNames, read }) {
      new Gauge({
        name,
        help,
        labelNames: [...labelNames],
        registers,
        async collect() {
          const figures = await read();
          this.reset();
          for (const { labels, value } of figures) this.set(labels, value);
        },
      });
    },
    async scrape() {
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}
