import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FinishedCommand } from '../support/command.js';
import { createInstallation, type Installation } from '../support/installation.js';

describe('askbase keys', () => {
  let installation: Installation;
  beforeAll(() => {
    installation = createInstallation();
  });
  afterAll(() => installation.remove());

  const askbase = (args: string[]): Promise<FinishedCommand> => installation.askbase(args);

  it('makes, lists and revokes keys; the door they open is shut before and after', async () => {
    const host = ['serve', '--host', '0.0.0.0', '--port', '0'];
    const refused = await askbase(host);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toMatch(/0\.0\.0\.0 can be reached by others.*askbase keys create.*AUTH=off/);

    const made = await askbase(['keys', 'create', '--name', 'shop page', '--scope', 'ask', '--kb', 'shop']);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ask_[0-9a-f]{16}_[\w-]{43}\n$/) });
    const key = made.stdout.trim();
    const shown = key.slice(0, 20);

    const server = installation.start(host, { NODE_ENV: 'production' });
    const [, url = ''] = await server.writes(/listens on http:\/\/0\.0\.0\.0:(\d+)/);
    const models = (token: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${url}/v1/models`, { headers: { authorization: `Bearer ${token}` } });
    expect((await models(key)).status).toBe(200);
    expect((await models('none')).status).toBe(401);
    expect(await askbase(['keys', 'revoke', shown])).toMatchObject({ code: 0 });
    expect((await models(key)).status).toBe(401);
    server.child.kill('SIGTERM');
    const { stdout, stderr } = await server.finished;
    expect(stdout + stderr).not.toContain(key.slice(21));

    const listed = await askbase(['keys', 'list']);
    expect(listed.stdout).toMatch(new RegExp(`^${shown} {2}shop page {2}ask {2}shop {2}tenant .* revoked 2`));
    expect(listed.stdout).not.toContain(key.slice(21));
  }, 300_000);

  it('says what is wrong with what it was given', async () => {
    const scope = await askbase(['keys', 'create', '--name', 'x', '--scope', 'fly']);
    expect(scope).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('no scope fly') });
    const base = await askbase(['keys', 'create', '--name', 'x', '--kb', 'No Good']);
    expect(base).toMatchObject({ code: 2, stderr: expect.stringContaining('--kb No Good') });
    const revoked = await askbase(['keys', 'revoke', 'hello']);
    expect(revoked).toMatchObject({ code: 2, stderr: expect.stringContaining('begins with ask_') });
  }, 300_000);
});
