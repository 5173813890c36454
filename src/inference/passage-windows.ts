/** A passage cut for a model that reads only so many tokens at once. */
export interface PassageWindows {
  /** At least one; each as long as the room allows, the last one ending with the passage. */
  windows: Int32Array[];
  /** Whether tokens stand in no window, because there were more windows than allowed. */
  truncated: boolean;
}

/** Neighbouring windows share a quarter, so that a sentence on a border stands whole in one of them. */
const OVERLAP = 1 / 4;

/** @param room tokens that fit beside the question and the special tokens, at least 1 */
export function cutIntoWindows(
  ids: Int32Array,
  { room, maxWindows }: { room: number; maxWindows: number },
): PassageWindows {
  if (ids.length <= room) return { windows: [ids], truncated: false };
  const stride = Math.max(1, Math.ceil(room * (1 - OVERLAP)));
  const windows: Int32Array[] = [];
  for (let start = 0; windows.length < maxWindows; start += stride) {
    const reachesEnd = start + room >= ids.length;
    windows.push(reachesEnd ? ids.subarray(ids.length - room) : ids.subarray(start, start + room));
    if (reachesEnd) return { windows, truncated: false };
  }
  return { windows, truncated: true };
}
