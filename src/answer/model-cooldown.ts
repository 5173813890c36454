/** Remembers which models failed lately, so that a question does not wait for one that is known to be down. */
export interface ModelCooldown {
  /** Models to try, in order of preference: those that rest are left out, unless all do. */
  usable(models: readonly string[]): readonly string[];
  failed(model: string, restMs: number): void;
  succeeded(model: string): void;
}

export function createModelCooldown(now: () => number = Date.now): ModelCooldown {
  const restsUntil = new Map<string, number>();
  return {
    usable(models) {
      const rested = models.filter((model) => (restsUntil.get(model) ?? 0) <= now());
      return rested.length > 0 ? rested : models;
    },
    failed(model, restMs) {
      restsUntil.set(model, now() + restMs);
    },
    succeeded(model) {
      restsUntil.delete(model);
    },
  };
}
