import type { EmbeddedFigures } from './index-embedded.js';
import type { QdrantFigures } from './index-qdrant.js';

interface Series {
  name: string;
  colour: string;
  points: { passages: number; ms: number }[];
}

const WIDTH = 640;
const HEIGHT = 360;
const MARGIN = { left: 56, right: 150, top: 24, bottom: 44 };

/** Hybrid p95 by number of passages, both axes logarithmic. */
export function costPlot(figures: {
  embedded: readonly EmbeddedFigures[];
  qdrant: readonly QdrantFigures[];
}): string {
  const { embedded, qdrant } = figures;
  const series: Series[] = [
    {
      name: 'embedded index',
      colour: '#2563eb',
      points: embedded.map(({ passages, ours }) => ({ passages, ms: ours.p95 })),
    },
    {
      name: 'LanceDB, exact',
      colour: '#9ca3af',
      points: embedded.map(({ passages, lance }) => ({ passages, ms: lance.p95 })),
    },
    {
      name: 'LanceDB, IVF-PQ',
      colour: '#6b7280',
      points: embedded.map(({ passages, lanceIvf }) => ({ passages, ms: lanceIvf.p95 })),
    },
    ...([1, 8, 32] as const).map((atATime, at) => ({
      name: `Qdrant, ${atATime} at a time`,
      colour: ['#dc2626', '#ea580c', '#d97706'][at] as string,
      points: qdrant.map(({ passages, parallel }) => ({ passages, ms: parallel[atATime].p95 })),
    })),
  ].filter(({ points }) => points.length > 0);
  const all = series.flatMap(({ points }) => points);
  const x = scale(
    all.map(({ passages }) => passages),
    [MARGIN.left, WIDTH - MARGIN.right],
  );
  const y = scale(
    all.map(({ ms }) => ms),
    [HEIGHT - MARGIN.bottom, MARGIN.top],
  );

  const lines = series.map(({ name, colour, points }, at) => {
    const path = points.map(({ passages, ms }) => `${x.at(passages)},${y.at(ms)}`).join(' ');
    const dots = points.map(
      ({ passages, ms }) => `<circle cx="${x.at(passages)}" cy="${y.at(ms)}" r="3" fill="${colour}"/>`,
    );
    const label = MARGIN.top + 8 + at * 18;
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...dots,
      `<text x="${WIDTH - MARGIN.right + 16}" y="${label}" fill="${colour}">${name}</text>`,
    ].join('');
  });
  const grid = y.ticks.map(
    (ms) =>
      `<path d="M${MARGIN.left} ${y.at(ms)}H${WIDTH - MARGIN.right}" stroke="#d1d5db"/>` +
      `<text x="${MARGIN.left - 6}" y="${y.at(ms) + 4}" text-anchor="end">${ms}</text>`,
  );
  const sizes = [...new Set(all.map(({ passages }) => passages))].map(
    (passages) =>
      `<text x="${x.at(passages)}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${passages.toLocaleString('en')}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#374151">
<title>Hybrid search, p95 in milliseconds, by number of passages</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${MARGIN.left}" y="14">hybrid search, p95 in milliseconds, by number of passages</text>
${[...grid, ...sizes, ...lines].join('\n')}
</svg>
`;
}

/** Logarithmic, with a tick at 1, 2 and 5 of every power of ten within. */
function scale(values: readonly number[], [from, to]: readonly [number, number]) {
  const [low, high] = [Math.min(...values) / 1.2, Math.max(...values) * 1.2];
  const at = (value: number): number =>
    Math.round(from + ((to - from) * Math.log(value / low)) / Math.log(high / low));
  const ticks = [-1, 0, 1, 2, 3, 4]
    .flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power))
    .filter((tick) => tick >= low && tick <= high);
  return { at, ticks };
}
