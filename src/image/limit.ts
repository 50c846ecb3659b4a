/**
 * Runs `work` on every item, at most `limit` at a time, starting in the list's order. The first
 * failure aborts `stop`, waits for the others to end, and is thrown.
 */
export async function forEachLimited<T>(
  items: Iterable<T>,
  limit: number,
  stop: AbortController,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  let failure: { readonly error: unknown } | undefined;
  const worker = async () => {
    for (
      let item = queue.shift();
      item !== undefined && failure === undefined;
      item = queue.shift()
    ) {
      try {
        await work(item);
      } catch (error) {
        failure ??= { error };
        stop.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  if (failure !== undefined) throw failure.error;
}
