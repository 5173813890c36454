import { randomBytes } from 'node:crypto';

/** What passages and other data in a prompt stand between: 96 random bits as 24 hexadecimal digits, another for every request. */
export function randomFence(): string {
  return randomBytes(12).toString('hex');
}
