import type { Writable } from 'node:stream';

/** Where progress goes: standard error, and only where a person is looking. Pipes stay silent. */
export interface Progress {
  /** Replaces the line shown. */
  show(line: string): void;
  /** Removes the line, so that ordinary output can follow. */
  clear(): void;
}

type Terminal = Writable & { isTTY?: boolean; columns?: number };

export function createProgress(terminal: Terminal): Progress {
  if (terminal.isTTY !== true) return { show: () => undefined, clear: () => undefined };
  return {
    show: (line) => {
      terminal.write(`\r\u001b[2K${line.slice(0, (terminal.columns ?? 80) - 1)}`);
    },
    clear: () => {
      terminal.write('\r\u001b[2K');
    },
  };
}

/** `████░░░░ 12/40`, for a line of progress. */
export function progressBar(done: number, total: number, width = 24): string {
  const filled = total === 0 ? width : Math.round((done / total) * width);
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${done}/${total}`;
}
