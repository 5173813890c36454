import type { UnderstandingStep } from './understand-question.js';

/** Keeps what each step made of the question, and how long it took. */
export function createStepLog() {
  const steps: UnderstandingStep[] = [];
  return {
    steps,
    /** Runs a step; `describe` says what came out of it where that is no text. */
    async run<Result>(
      step: UnderstandingStep['step'],
      before: string,
      work: () => Result | Promise<Result>,
      describe: (result: Result) => string = String,
    ): Promise<Result> {
      const start = performance.now();
      const result = await work();
      steps.push({ step, before, after: describe(result), ms: performance.now() - start });
      return result;
    },
  };
}
