import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBenchTexts } from '../bench-texts.js';

const SECTIONS = 20;

/** A knowledge base `load` of about so many passages: sections of mixed length, Chinese and English, no two alike. */
export function writeLoadKnowledge(dir: string, passages: number): void {
  const { passages: texts } = readBenchTexts();
  mkdirSync(join(dir, 'load'), { recursive: true });
  writeFileSync(join(dir, 'load/kb.yaml'), 'title: {en: Load, zh: 负载}\nthreshold: 0\n');
  for (let document = 0; document * SECTIONS < passages; document += 1) {
    const sections = Array.from({ length: SECTIONS }, (_, section) => {
      const number = document * SECTIONS + section;
      const text = (texts[(number * 31) % texts.length] ?? '').replace(/\s+/g, ' ').slice(0, 600);
      return `## Item ${number}\n\nThe guarantee of item ${number} lasts ${(number % 36) + 1} months. ${text}`;
    });
    writeFileSync(
      join(dir, `load/items-${document}.md`),
      `# Items ${document}\n\n${sections.join('\n\n')}\n`,
    );
  }
}
