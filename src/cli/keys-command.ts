import type { Command } from 'commander';
import { AppError } from '../errors.js';
import { makeApiKey } from '../identity/api-key.js';
import { SCOPES, type Scope } from '../identity/identity.js';
import type { StoredKey } from '../identity/key-store.js';
import { knowledgeBaseIdSchema } from '../ingest/knowledge-base.js';
import { EXIT } from './exit-codes.js';
import { withStore } from './with-store.js';

interface CreateOptions {
  name: string;
  scope: string[];
  kb: string[];
  tenant?: string;
}

export function registerKeysCommand(program: Command): void {
  const keys = program
    .command('keys')
    .description('API keys: from the first one on, the server asks for one');
  keys
    .command('create')
    .description('make a key and print it; it cannot be shown again')
    .requiredOption('--name <name>', 'what it is for')
    .option('--scope <scope...>', `one or several of ${SCOPES.join(', ')}`, ['ask', 'search'])
    .option('--kb <name...>', 'knowledge bases it sees; all of them where none is given', [])
    .option('--tenant <name>', 'keys of one tenant share their conversations; the key alone where absent')
    .action(createKey);
  keys
    .command('list')
    .description('the keys, without their secrets')
    .option('--json', 'print one JSON array')
    .action(({ json }: { json?: boolean }) => listKeys(json === true));
  keys
    .command('revoke')
    .description('end a key and the visitor tokens made with it, at once')
    .argument('<key>', 'its first part: ask_1f2e3d4c5b6a7988')
    .action(revokeKey);
}

async function createKey({ name, scope, kb, tenant }: CreateOptions): Promise<void> {
  const unknown = scope.filter((word) => !(SCOPES as readonly string[]).includes(word));
  if (unknown.length > 0) {
    throw new AppError('invalid', `There is no scope ${unknown.join(', ')}: there is ${SCOPES.join(', ')}.`);
  }
  for (const id of kb) {
    const { error } = knowledgeBaseIdSchema.safeParse(id);
    if (error !== undefined) throw new AppError('invalid', `--kb ${id}: ${error.issues[0]?.message}.`);
  }
  const { id, key, secretHash } = makeApiKey();
  await withStore((store) =>
    store.writeKey({
      id,
      secretHash,
      name,
      tenant: tenant ?? id,
      scopes: scope as Scope[],
      knowledgeBases: kb.length === 0 ? 'all' : kb,
      createdAt: new Date().toISOString(),
    }),
  );
  process.stdout.write(`${key}\n`);
  process.stderr.write('Keep it now: only a hash of it is stored.\n');
}

async function listKeys(asJson: boolean): Promise<void> {
  const keys = (await withStore((store) => store.listKeys())).map(({ secretHash: _, ...shown }) => shown);
  process.stdout.write(asJson ? `${JSON.stringify(keys)}\n` : keys.map(describeKey).join(''));
}

function describeKey(key: Omit<StoredKey, 'secretHash'>): string {
  const { id, name, scopes, knowledgeBases, tenant, createdAt, revokedAt } = key;
  const bases = knowledgeBases === 'all' ? 'all knowledge bases' : knowledgeBases.join(',');
  const state = revokedAt === undefined ? '' : `  revoked ${revokedAt}`;
  return `ask_${id}  ${name}  ${scopes.join(',')}  ${bases}  tenant ${tenant}  made ${createdAt}${state}\n`;
}

async function revokeKey(text: string): Promise<void> {
  const id = /^(?:ask_)?([0-9a-f]{16})(?:_|$)/.exec(text)?.[1];
  if (id === undefined) throw new AppError('invalid', 'A key begins with ask_ and 16 hexadecimal digits.');
  const revoked = await withStore((store) => store.revokeKey(id, new Date().toISOString()));
  if (!revoked) throw new AppError('not-found', `There is no key ask_${id} in force.`);
  process.stdout.write(`ask_${id} is revoked.\n`);
  process.exitCode = EXIT.ok;
}
