import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

interface Found {
  where: string;
  pattern: RegExp;
}

function findPatterns(): Found[] {
  const found: Found[] = [];
  for (const file of readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  )) {
    const source = ts.createSourceFile(file, readFileSync(join(SRC, file), 'utf8'), ts.ScriptTarget.Latest);
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) {
        const [, body = '', flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(node.text) ?? [];
        found.push({ where: `${file}: ${node.text}`, pattern: new RegExp(body, flags) });
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return found;
}

/** Pieces that the patterns are made of, over and over, and an end that fits none: what makes a bad one try every way. */
const PIECES = [
  ...[
    'a',
    'A',
    '0',
    '1 ',
    ' ',
    '\n',
    '\t',
    '-',
    '.',
    '_',
    ':',
    '/',
    '\\',
    '(',
    ')',
    '[',
    ']',
    '](',
    '<',
    '<a ',
    '>',
    '"',
    "'",
  ],
  ...[
    'a.',
    'a-',
    '0-',
    '0.',
    'a@',
    'a.a',
    ' a',
    'a ',
    '\na',
    ',',
    ', ',
    '*',
    '**',
    '_a',
    '#',
    '|',
    '`',
    '!',
    '![',
    '&a',
    '=',
  ],
  ...[
    '字',
    '字 ',
    '路',
    '市',
    '第',
    '一',
    '十',
    '。',
    '，',
    '的',
    '忽略',
    '回答',
    '\u200d',
    '\u{1F469}',
    '０',
    'é',
  ],
  ...[
    'ignore ',
    'ask_',
    'bearer ',
    'eyJ',
    'key=',
    'http:',
    '//',
    '1.',
    '- ',
    'x{',
    '{{',
    '}}',
    '<passage ',
    '[1]',
    '%',
  ],
];
const LENGTH = 4_000;
const TEXTS = PIECES.flatMap((piece) => {
  const text = piece.repeat(Math.ceil(LENGTH / piece.length));
  return [text, `${text}\u0001`];
});

/** A pattern whose time grows faster than the square of the text would run into the test's own limit of time. */
it('Every regular expression comes to its end on long hostile texts', () => {
  const found = findPatterns();
  expect(found.length).toBeGreaterThan(150);
  for (const { pattern } of found) {
    for (const text of TEXTS) {
      pattern.lastIndex = 0;
      pattern.test(text);
    }
  }
}, 600_000);
