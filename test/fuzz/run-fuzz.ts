/** `npm run fuzz [seconds] [seed]`: the real server, tiny models; ends with 1 where anything came back that must not. */
import { request } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { startTestApp } from '../support/app.js';
import { fuzzServer } from './fuzz-server.js';

const seconds = Number(process.argv[2] ?? 600);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const running = await startTestApp({ env: { REQUESTS_PER_MINUTE: '1000000' } });

async function memory(): Promise<number> {
  const metrics = await new Promise<string>((resolve, reject) => {
    request(`${running.url.replace('localhost', '127.0.0.1')}/metrics`, (response) =>
      resolve(readText(response)),
    )
      .once('error', reject)
      .end();
  });
  return Number(/^nodejs_heap_size_used_bytes (\S+)/m.exec(metrics)?.[1]) / 1e6;
}

const samples: number[] = [];
// The last one may find the server gone.
const watch = setInterval(() => {
  void memory()
    .then((megabytes) => samples.push(megabytes))
    .catch(() => undefined);
}, 5_000);
const untilMs = performance.now() + seconds * 1000;
const report = await fuzzServer({ url: running.url, seed, requests: 10_000_000, untilMs });
clearInterval(watch);
const half = Math.floor(samples.length / 2);
const least = (part: number[]): string => Math.min(...part).toFixed(0);
process.stdout.write(
  `seed ${seed}, ${seconds} s: ${report.requests} requests, ${report.events} events, ${report.faults.length} faults\n` +
    `${JSON.stringify(report.outcomes)}\n` +
    `heap, least of the first and of the second half: ${least(samples.slice(0, half))} and ${least(samples.slice(half))} MB\n` +
    report.faults.slice(0, 50).join('\n'),
);
await running.close();
process.exit(report.faults.length === 0 ? 0 : 1);
