/**
 * Runs the work for every item, so many at a time, begun in order; the next item is asked for when there is room. The
 * first failure, of the work or of the items, stops what has not begun, and is thrown when what has begun has ended.
 */
export async function inParallel<T>(
  items: Iterable<T> | AsyncIterable<T>,
  atATime: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = each(items);
  let failure: { thrown: unknown } | undefined;
  const worker = async (): Promise<void> => {
    try {
      while (failure === undefined) {
        const { done, value } = await waiting.next();
        if (done === true) return;
        await work(value);
      }
    } catch (thrown) {
      failure ??= { thrown };
    }
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  if (failure === undefined) return;
  await waiting.return();
  throw failure.thrown;
}

/** Whoever asks for the next item while one is being fetched waits in line. */
async function* each<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T, void> {
  yield* items;
}
