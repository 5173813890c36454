import type { Config } from './config.js';
import type { Core } from './core.js';
import { toAppError } from './errors.js';
import type { CheckReadiness, Readiness } from './stream/operation-routes.js';

export interface ReadinessCheck {
  check: CheckReadiness;
  knowledgeProgress(progress: { done: number; total: number }): void;
  /** What is made again is searched as it was made before: questions can be answered meanwhile. */
  indexGoesOver(): void;
  knowledgeRead(): void;
  knowledgeFailed(error: unknown): void;
}

const PART_MS = 900;

/** Says of each part whether it is ready: a device that was asked for and is not in use makes the whole not ready. */
export function createReadinessCheck({
  config,
  core,
  conversations,
}: {
  config: Config;
  core: Core;
  /** Says whether conversations can be stored. */
  conversations: () => Promise<Readiness>;
}): ReadinessCheck {
  let searchable = false;
  let knowledge: Readiness = { ready: false, reason: 'The knowledge folder is being read.' };

  const checkIndex = async (): Promise<Readiness> => {
    const engine = config.qdrant === undefined ? 'sqlite' : 'qdrant';
    const reason = await Promise.race([
      core.index.isReady().catch((error: unknown) => toAppError(error).message),
      new Promise<string>((resolve) => setTimeout(resolve, PART_MS, 'The index does not answer.').unref()),
    ]);
    const nodes = [...core.circuits].map(([node, { state }]) => [node, state] as const);
    const details = { engine, ...(nodes.length === 0 ? {} : { circuits: Object.fromEntries(nodes) }) };
    return reason === null ? { ready: true, ...details } : { ready: false, reason, ...details };
  };

  const checkConversations = (): Promise<Readiness> => {
    const late = { ready: false, reason: 'The store of conversations does not answer.' };
    return Promise.race([
      conversations().catch((error: unknown) => ({ ready: false, reason: toAppError(error).message })),
      new Promise<Readiness>((resolve) => setTimeout(resolve, PART_MS, late).unref()),
    ]);
  };

  return {
    async check() {
      const models = core.engine.status().map((status): [string, Readiness] => {
        const { kind, ready, reason, name, device, requestedDevice, precision } = status;
        const details = { model: name, device, requestedDevice, precision };
        return [kind, { ready, ...(reason === null ? {} : { reason }), ...details }];
      });
      const mode: Readiness =
        core.chatModel === null
          ? { ready: true, mode: 'extractive' }
          : { ready: true, mode: 'model', models: core.chatModel.models };
      const [index, store] = await Promise.all([checkIndex(), checkConversations()]);
      return { index, conversations: store, ...Object.fromEntries(models), knowledge, answers: mode };
    },
    knowledgeProgress({ done, total }) {
      const files = `${done} of ${total} files`;
      knowledge = searchable
        ? { ready: true, madeAgain: files }
        : { ready: false, reason: `The knowledge folder is being read: ${files}.` };
    },
    indexGoesOver() {
      searchable = true;
      knowledge = { ready: true };
    },
    knowledgeRead() {
      knowledge = { ready: true };
    },
    knowledgeFailed(error) {
      knowledge = { ready: false, reason: toAppError(error).message };
    },
  };
}
