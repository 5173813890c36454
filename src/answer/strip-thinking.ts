const OPEN = '<think>';
const CLOSE = '</think>';

/**
 * Leaves out the `<think>…</think>` block that local reasoning models write before their answer, however it is cut
 * into deltas. Only at the very beginning: an answer may well speak of such tags.
 */
export function createThinkingStripper(): { push(delta: string): string; finish(): string } {
  let state: 'before' | 'thinking' | 'after' | 'answering' = 'before';
  let held = '';

  const push = (delta: string): string => {
    if (state === 'answering') return delta;
    held += delta;
    if (state === 'before') {
      const start = held.trimStart();
      if (OPEN.startsWith(start)) return '';
      state = start.startsWith(OPEN) ? 'thinking' : 'answering';
      if (state === 'answering') return release();
    }
    if (state === 'thinking') {
      const end = held.indexOf(CLOSE);
      if (end === -1) {
        // Only what may be the beginning of the closing tag is kept.
        held = held.slice(-CLOSE.length);
        return '';
      }
      held = held.slice(end + CLOSE.length);
      state = 'after';
    }
    held = held.trimStart();
    if (held === '') return '';
    state = 'answering';
    return release();
  };

  const release = (): string => {
    const text = held;
    held = '';
    return text;
  };

  return { push, finish: () => (state === 'before' ? release() : '') };
}
