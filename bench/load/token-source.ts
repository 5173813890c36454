import { timedWord } from './process-rpc.js';

const TOKENS = Number(process.env.TOKENS ?? 500);
const PER_SECOND = Number(process.env.TOKENS_PER_SECOND ?? 50);
let sent = 0;

/** The tokens of one answer, at an even pace. */
export function writeTokens({ onToken, onEnd }: { onToken(token: string): void; onEnd(): void }): void {
  let left = TOKENS;
  const timer = setInterval(() => {
    sent += 1;
    left -= 1;
    onToken(`${timedWord()} `);
    if (left > 0) return;
    clearInterval(timer);
    onEnd();
  }, 1000 / PER_SECOND);
}

/** Of all answers so far. */
export function countTokensSent(): number {
  return sent;
}
