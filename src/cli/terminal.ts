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

/** `1,234 documents, 56 a second, 2 min 5 s left`: how fast something goes, and how long it still takes where that is known. */
export function createPace(unit: string, now: () => number = performance.now.bind(performance)) {
  const start = now();
  return (done: number, total?: number): string => {
    const seconds = (now() - start) / 1000;
    const rate = seconds === 0 ? 0 : done / seconds;
    const pace = `${done.toLocaleString('en')} ${unit}, ${Math.round(rate).toLocaleString('en')} a second`;
    if (total === undefined || done === 0) return pace;
    return `${pace}, ${duration((total - done) / rate)} left`;
  };
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
